/** Greatest common divisor; gcd(0, n) = n. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Least common multiple of positive numbers. */
export function lcm(a: number, b: number): number {
  return (a / gcd(a, b)) * b;
}

/** Prime factors in rising order, for n up to 2^53 (time grows with √n). [] for 1. */
export function primeFactors(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (let prime = 2; prime * prime <= rest; prime++) {
    while (rest % prime === 0) {
      factors.push(prime);
      rest /= prime;
    }
  }
  return rest > 1 ? [...factors, rest] : factors;
}

/** All divisors of n in the order 1, n, then each further divisor up to √n followed by its partner. */
export function divisorPairs(n: number): number[] {
  let divisors = [1];
  let previous = 0;
  let added: number[] = [];
  for (const prime of primeFactors(n)) {
    // a prime that comes again multiplies only what its last occurrence added
    added = (prime === previous ? added : divisors).map((divisor) => divisor * prime);
    divisors = [...divisors, ...added];
    previous = prime;
  }
  const small = divisors.filter((divisor) => divisor <= n / divisor).sort((a, b) => a - b);
  return small.flatMap((divisor) => (divisor * divisor === n ? [divisor] : [divisor, n / divisor]));
}

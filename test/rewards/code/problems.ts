import type { Json } from "../../../src/rollout/types.ts";

/** A problem, its tests, and one right and one wrong program in each language. */
export interface Problem {
  readonly name: string;
  readonly tests: Json;
  readonly python: readonly [right: string, wrong: string];
  readonly javascript: readonly [right: string, wrong: string];
}

const call = (name: string, ...rows: [args: Json[], expected: Json][]): Json =>
  rows.map(([args, expected]) => ({ call: name, args, expected }));
const io = (...rows: [input: string, output: string][]): Json => rows.map(([input, output]) => ({ input, output }));

export const PROBLEMS: readonly Problem[] = [
  {
    name: "gcd",
    tests: call("gcd", [[12, 18], 6], [[7, 5], 1], [[0, 9], 9]),
    python: [
      "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a",
      "def gcd(a, b):\n    return min(a, b)",
    ],
    javascript: ["function gcd(a, b) { return b === 0 ? a : gcd(b, a % b); }", "function gcd(a, b) { return a % b; }"],
  },
  {
    name: "primes below n",
    tests: call("primes", [[10], [2, 3, 5, 7]], [[2], []], [[30], [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]]),
    python: [
      "def primes(n):\n    sieve = [True] * n\n    found = []\n    for i in range(2, n):\n        if sieve[i]:\n            found.append(i)\n            for j in range(i * i, n, i):\n                sieve[j] = False\n    return found",
      "def primes(n):\n    return [i for i in range(2, n) if i % 2]",
    ],
    javascript: [
      "const primes = (n) => { const found = []; for (let i = 2; i < n; i++) if (found.every((p) => i % p)) found.push(i); return found; };",
      "const primes = (n) => Array.from({ length: n }, (_, i) => i).filter((i) => i % 2);",
    ],
  },
  {
    name: "large Fibonacci number",
    tests: call("fib", [[10], 55], [[1], 1], [[78], 8944394323791464]),
    python: [
      "def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
      "def fib(n):\n    return round(1.618 ** n / 5 ** 0.5)",
    ],
    javascript: [
      "function fib(n) { let [a, b] = [0, 1]; while (n-- > 0) [a, b] = [b, a + b]; return a; }",
      "function fib(n) { return Math.round(1.618 ** n / 5 ** 0.5); }",
    ],
  },
  {
    name: "sum of two numbers from standard input",
    tests: io(["2 3\n", "5\n"], ["-4 10", "6"], ["0 0\n", "0"]),
    python: ["a, b = map(int, input().split())\nprint(a + b)", "a, b = input().split()\nprint(a + b)"],
    javascript: [
      "const [a, b] = readline().split(' ').map(Number);\nconsole.log(a + b);",
      "const [a, b] = readline().split(' ');\nconsole.log(a + b);",
    ],
  },
  {
    name: "words counted",
    tests: call("count", [["a b a"], { a: 2, b: 1 }], [[""], {}], [["x  x x"], { x: 3 }]),
    python: [
      "from collections import Counter\ndef count(text):\n    return Counter(text.split())",
      "def count(text):\n    return {word: 1 for word in text.split()}",
    ],
    javascript: [
      "function count(text) { const m = new Map(); for (const w of text.split(/\\s+/).filter(Boolean)) m.set(w, (m.get(w) ?? 0) + 1); return m; }",
      "function count(text) { const o = {}; for (const w of text.split(' ')) o[w] = (o[w] ?? 0) + 1; return o; }",
    ],
  },
  {
    name: "palindrome",
    tests: call(
      "isPalindrome",
      [["racecar"], true],
      [["ab"], false],
      [[""], true],
      [["A man, a plan, a canal: Panama"], true],
    ),
    python: [
      "import re\ndef isPalindrome(s):\n    t = re.sub(r'[^a-z0-9]', '', s.lower())\n    return t == t[::-1]",
      "def isPalindrome(s):\n    return s == s[::-1]",
    ],
    javascript: [
      "const isPalindrome = (s) => { const t = s.toLowerCase().replace(/[^a-z0-9]/g, ''); return t === [...t].reverse().join(''); };",
      "const isPalindrome = (s) => s === s.split('').reverse().join('');",
    ],
  },
  {
    name: "two numbers with a sum, as a method",
    tests: call(
      "Solution.twoSum",
      [
        [[2, 7, 11, 15], 9],
        [0, 1],
      ],
      [
        [[3, 2, 4], 6],
        [1, 2],
      ],
      [
        [[3, 3], 6],
        [0, 1],
      ],
    ),
    python: [
      "from typing import List\nclass Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        seen = {}\n        for i, x in enumerate(nums):\n            if target - x in seen:\n                return [seen[target - x], i]\n            seen[x] = i",
      "class Solution:\n    def twoSum(self, nums, target):\n        for i in range(len(nums)):\n            for j in range(len(nums)):\n                if nums[i] + nums[j] == target:\n                    return [i, j]",
    ],
    javascript: [
      "class Solution { twoSum(nums, target) { const seen = new Map(); for (let i = 0; i < nums.length; i++) { if (seen.has(target - nums[i])) return [seen.get(target - nums[i]), i]; seen.set(nums[i], i); } } }",
      "class Solution { twoSum(nums, target) { return [nums.indexOf(target - nums[0]), 0]; } }",
    ],
  },
  {
    name: "brackets that match",
    tests: call("valid", [["()[]{}"], true], [["(]"], false], [["([)]"], false], [["(("], false], [[""], true]),
    python: [
      "def valid(s):\n    stack = []\n    pairs = {')': '(', ']': '[', '}': '{'}\n    for c in s:\n        if c in pairs:\n            if not stack or stack.pop() != pairs[c]:\n                return False\n        else:\n            stack.append(c)\n    return not stack",
      "def valid(s):\n    return all(s.count(a) == s.count(b) for a, b in ('()', '[]', '{}'))",
    ],
    javascript: [
      "function valid(s) { const stack = []; const open = { ')': '(', ']': '[', '}': '{' }; for (const c of s) { if (open[c]) { if (stack.pop() !== open[c]) return false; } else stack.push(c); } return stack.length === 0; }",
      "function valid(s) { return s.length % 2 === 0; }",
    ],
  },
  {
    name: "sorted without change of the argument",
    tests: call("sorted_copy", [[[3, 1, 2]], [1, 2, 3]], [[[]], []], [[[10, 9, 1]], [1, 9, 10]]),
    python: ["def sorted_copy(xs):\n    return sorted(xs)", "def sorted_copy(xs):\n    return xs.sort()"],
    javascript: [
      "const sorted_copy = (xs) => [...xs].sort((a, b) => a - b);",
      "const sorted_copy = (xs) => [...xs].sort();",
    ],
  },
  {
    name: "average as a decimal",
    tests: call("mean", [[[1, 2]], 1.5], [[[2, 4]], 3], [[[0.5]], 0.5]),
    python: ["def mean(xs):\n    return sum(xs) / len(xs)", "def mean(xs):\n    return sum(xs) // len(xs)"],
    javascript: [
      "const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;",
      "const mean = (xs) => Math.floor(xs.reduce((a, b) => a + b, 0) / xs.length);",
    ],
  },
  {
    name: "nothing found",
    tests: call("first_even", [[[1, 3]], null], [[[1, 4]], 4], [[[0]], 0]),
    python: [
      "def first_even(xs):\n    for x in xs:\n        if x % 2 == 0:\n            return x",
      "def first_even(xs):\n    return [x for x in xs if x % 2 == 0][0]",
    ],
    javascript: [
      "const first_even = (xs) => xs.find((x) => x % 2 === 0);",
      "const first_even = (xs) => xs.find((x) => x % 2 === 0) || false;",
    ],
  },
  {
    name: "a grid turned",
    tests: call(
      "rotate",
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        [
          [3, 1],
          [4, 2],
        ],
      ],
      [[[[1, 2, 3]]], [[1], [2], [3]]],
    ),
    python: [
      "def rotate(grid):\n    return list(zip(*grid[::-1]))",
      "def rotate(grid):\n    return [list(row)[::-1] for row in grid]",
    ],
    javascript: [
      "const rotate = (g) => g[0].map((_, i) => g.map((row) => row[i]).reverse());",
      "const rotate = (g) => g[0].map((_, i) => g.map((row) => row[i]));",
    ],
  },
  {
    name: "table printed",
    tests: io(["3\n", "1 2 3\n2 4 6\n3 6 9\n"], ["1\n", "1\n"]),
    python: [
      "n = int(input())\nfor i in range(1, n + 1):\n    print(' '.join(str(i * j) for j in range(1, n + 1)))",
      "n = int(input())\nprint(*[i * j for i in range(1, n + 1) for j in range(1, n + 1)])",
    ],
    javascript: [
      "const n = parseInt(readline());\nfor (let i = 1; i <= n; i++) console.log(Array.from({ length: n }, (_, j) => i * (j + 1)).join(' '));",
      "const n = parseInt(readline());\nfor (let i = 1; i <= n; i++) for (let j = 1; j <= n; j++) console.log(i * j);",
    ],
  },
  {
    name: "all lines read to the end",
    tests: io(["1\n2\n3\n", "6"], ["5", "5"], ["", "0"]),
    python: [
      "import sys\nprint(sum(int(line) for line in sys.stdin))",
      "total = 0\nfor _ in range(3):\n    total += int(input())\nprint(total)",
    ],
    javascript: [
      "let total = 0;\nfor (let line = readline(); line !== null; line = readline()) total += Number(line);\nprint(total);",
      "console.log(readAll().length);",
    ],
  },
  {
    name: "edit distance",
    tests: call("distance", [["kitten", "sitting"], 3], [["", "abc"], 3], [["same", "same"], 0]),
    python: [
      "from functools import lru_cache\ndef distance(a, b):\n    @lru_cache(None)\n    def d(i, j):\n        if i == 0 or j == 0:\n            return i + j\n        return min(d(i-1, j) + 1, d(i, j-1) + 1, d(i-1, j-1) + (a[i-1] != b[j-1]))\n    return d(len(a), len(b))",
      "def distance(a, b):\n    return sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b)) + (a[:1] == 'k')",
    ],
    javascript: [
      "function distance(a, b) { let row = Array.from({ length: b.length + 1 }, (_, j) => j); for (let i = 1; i <= a.length; i++) { const next = [i]; for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)); row = next; } return row[b.length]; }",
      "function distance(a, b) { return Math.abs(a.length - b.length); }",
    ],
  },
  {
    name: "set of common members",
    tests: call(
      "common",
      [
        [
          [1, 2, 3],
          [3, 2, 9],
        ],
        [2, 3],
      ],
      [[[1], [2]], []],
    ),
    python: ["def common(a, b):\n    return set(a) & set(b)", "def common(a, b):\n    return set(a) | set(b)"],
    javascript: [
      "const common = (a, b) => new Set(a.filter((x) => b.includes(x)));",
      "const common = (a, b) => new Set([...a, ...b]);",
    ],
  },
  {
    name: "text of other scripts",
    tests: call("shout", [["grüße"], "GRÜSSE!"], [["мир"], "МИР!"], [["日本 🎉"], "日本 🎉!"]),
    python: [
      "def shout(s):\n    return s.upper() + '!'",
      "def shout(s):\n    return s.encode('ascii', 'ignore').decode().upper() + '!'",
    ],
    javascript: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a program
      "const shout = (s) => `${s.toUpperCase()}!`;",
      "const shout = (s) => s.split('').map((c) => c.toUpperCase()).reverse().reverse().slice(1).join('') + '!';",
    ],
  },
  {
    name: "empty values and quotes",
    tests: call("limit", [[1], {}], [[2], []], [[3], "it's"]),
    python: [
      'def limit(n):\n    return [None, {}, [], "it\'s"][n]',
      "def limit(n):\n    return [None, [], {}, 'its'][n]",
    ],
    javascript: ['const limit = (n) => [null, {}, [], "it\'s"][n];', "const limit = (n) => [null, {}, {}, 'its'][n];"],
  },
  {
    name: "Collatz length, a long loop",
    tests: call("longest", [[1000], 871], [[10000], 6171]),
    python: [
      "def longest(n):\n    best = (0, 0)\n    seen = {1: 1}\n    for i in range(1, n):\n        x, path = i, []\n        while x not in seen:\n            path.append(x)\n            x = x // 2 if x % 2 == 0 else 3 * x + 1\n        for k, y in enumerate(reversed(path)):\n            seen[y] = seen[x] + k + 1\n        best = max(best, (seen[i], i))\n    return best[1]",
      "def longest(n):\n    return n - 129",
    ],
    javascript: [
      "function longest(n) { let best = 0, at = 0; const seen = [0, 1]; for (let i = 1; i < n; i++) { let x = i, c = 0; while (x >= i && x > 1) { x = x % 2 ? 3 * x + 1 : x / 2; c++; } seen[i] = c + seen[x]; if (seen[i] > best) { best = seen[i]; at = i; } } return at; }",
      "function longest(n) { return n; }",
    ],
  },
  {
    name: "deep recursion",
    tests: call("depth", [[800], 800], [[0], 0]),
    python: [
      "import sys\nsys.setrecursionlimit(5000)\ndef depth(n):\n    return 0 if n == 0 else 1 + depth(n - 1)",
      "def depth(n):\n    return 1 + depth(n - 1)",
    ],
    javascript: ["const depth = (n) => (n === 0 ? 0 : 1 + depth(n - 1));", "const depth = (n) => 1 + depth(n - 1);"],
  },
  {
    name: "state that calls do not share by mistake",
    tests: call("append", [[1], [1]], [[2], [2]], [[3], [3]]),
    python: [
      "def append(x, xs=None):\n    xs = xs or []\n    xs.append(x)\n    return xs",
      "def append(x, xs=[]):\n    xs.append(x)\n    return xs",
    ],
    javascript: [
      "const append = (x, xs = []) => [...xs, x];",
      "const kept = [];\nconst append = (x) => { kept.push(x); return [...kept]; };",
    ],
  },
  {
    name: "an exception caught",
    tests: call("safe_divide", [[6, 3], 2], [[1, 0], null]),
    python: [
      "def safe_divide(a, b):\n    try:\n        return a / b\n    except ZeroDivisionError:\n        return None",
      "def safe_divide(a, b):\n    return a / b",
    ],
    javascript: ["const safe_divide = (a, b) => (b === 0 ? null : a / b);", "const safe_divide = (a, b) => a / b;"],
  },
  {
    name: "objects that nest",
    tests: call("tree", [
      [["b", "a", "c"]],
      { value: "b", left: { value: "a", left: null, right: null }, right: { value: "c", left: null, right: null } },
    ]),
    python: [
      "def tree(xs):\n    root = None\n    def insert(node, x):\n        if node is None:\n            return {'value': x, 'left': None, 'right': None}\n        side = 'left' if x < node['value'] else 'right'\n        node[side] = insert(node[side], x)\n        return node\n    for x in xs:\n        root = insert(root, x)\n    return root",
      "def tree(xs):\n    return {'value': xs[0], 'left': xs[1], 'right': xs[2]}",
    ],
    javascript: [
      "function tree(xs) { const insert = (node, x) => { if (!node) return { value: x, left: null, right: null }; const side = x < node.value ? 'left' : 'right'; return { ...node, [side]: insert(node[side], x) }; }; return xs.reduce(insert, null); }",
      "function tree(xs) { return { value: xs[0], left: null, right: null }; }",
    ],
  },
  {
    name: "roman numerals",
    tests: call("roman", [[1994], "MCMXCIV"], [[4], "IV"], [[58], "LVIII"]),
    python: [
      "def roman(n):\n    out = ''\n    for v, s in [(1000,'M'),(900,'CM'),(500,'D'),(400,'CD'),(100,'C'),(90,'XC'),(50,'L'),(40,'XL'),(10,'X'),(9,'IX'),(5,'V'),(4,'IV'),(1,'I')]:\n        out += s * (n // v)\n        n %= v\n    return out",
      "def roman(n):\n    out = ''\n    for v, s in [(1000,'M'),(500,'D'),(100,'C'),(50,'L'),(10,'X'),(5,'V'),(1,'I')]:\n        out += s * (n // v)\n        n %= v\n    return out",
    ],
    javascript: [
      "function roman(n) { const t = [[1000,'M'],[900,'CM'],[500,'D'],[400,'CD'],[100,'C'],[90,'XC'],[50,'L'],[40,'XL'],[10,'X'],[9,'IX'],[5,'V'],[4,'IV'],[1,'I']]; let out = ''; for (const [v, s] of t) while (n >= v) { out += s; n -= v; } return out; }",
      "function roman(n) { return 'I'.repeat(n); }",
    ],
  },
  {
    name: "a program with a main function",
    tests: io(["3\n1 2 3\n", "3 2 1"], ["1\n7\n", "7\n"]),
    python: [
      "def main():\n    n = int(input())\n    xs = input().split()\n    print(' '.join(reversed(xs)))\n\nif __name__ == '__main__':\n    main()",
      "def main():\n    n = int(input())\n    print(input())\n\nif __name__ == '__main__':\n    main()",
    ],
    javascript: [
      "function main() {\n  readline();\n  console.log(readline().split(' ').reverse().join(' '));\n}\nmain();",
      "function main() {\n  console.log(readline());\n}\nmain();",
    ],
  },
  {
    name: "right values, then a failure",
    tests: io(["x\n", "x\n"]),
    python: ["print(input())", "print(input())\nraise SystemExit(3)"],
    javascript: ["print(readline());", "print(readline());\nthrow new Error('after all');"],
  },
];

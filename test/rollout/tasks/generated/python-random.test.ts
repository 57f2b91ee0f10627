import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonRandom } from "../../../../src/rollout/tasks/generated/index.ts";

/**
 * What CPython 3.11's random.Random(seed) gives for, in this order: randint(1, 6), randint(-10**12, 10**12), choice("abcde"),
 * uniform(-100, 100), random(), shuffle of 0..7, sample(range(10), 4), sample(range(1000), 6), sample(range(30), 7),
 * choices("+-*", weights=[.4, .4, .2]), getrandbits(53), getrandbits(32), randint(5, 5).
 */
const RECORDED: readonly (readonly [seed: bigint, ...numbers: unknown[]])[] = [
  [
    0n,
    4,
    957465509036,
    "d",
    -91.90312436384448,
    0.9654648863619172,
    [1, 0, 4, 5, 6, 2, 3, 7],
    [8, 2, 4, 1],
    [773, 97, 633, 818, 256, 931],
    [17, 22, 25, 19, 4, 9, 3],
    "-",
    7660387270542364,
    2937688618,
    5,
  ],
  [
    1n,
    2,
    862165551178,
    "a",
    -48.98619485211566,
    0.49543508709194095,
    [2, 4, 0, 1, 6, 5, 3, 7],
    [0, 6, 8, 4],
    [780, 785, 2, 712, 456, 272],
    [23, 25, 7, 18, 3, 10, 0],
    "+",
    4876611736872925,
    39534911,
    5,
  ],
  [
    42n,
    6,
    -947982229121,
    "c",
    -51.02162923930476,
    0.1395379285251439,
    [3, 7, 2, 0, 4, 6, 5, 1],
    [0, 9, 1, 7],
    [238, 517, 616, 27, 574, 203],
    [22, 20, 29, 17, 13, 7, 14],
    "-",
    7829960785319307,
    27911967,
    5,
  ],
  [
    -7n,
    3,
    -665216467484,
    "d",
    30.186894607970743,
    0.07243628666754276,
    [3, 6, 5, 7, 0, 4, 2, 1],
    [6, 9, 1, 7],
    [92, 564, 434, 60, 846, 579],
    [3, 7, 20, 27, 18, 1, 25],
    "-",
    8793322981286556,
    949539216,
    5,
  ],
  [
    4294967296n,
    1,
    -83663094852,
    "a",
    -95.435630363641,
    0.8760931253853963,
    [1, 2, 7, 0, 3, 4, 6, 5],
    [6, 8, 5, 2],
    [754, 390, 490, 949, 473, 165],
    [29, 28, 22, 3, 21, 9, 27],
    "+",
    3184152518945710,
    2175601904,
    5,
  ],
  [
    1099511640121n,
    3,
    -749391723141,
    "a",
    6.7198189185155,
    0.20403672857712885,
    [6, 5, 3, 7, 0, 2, 4, 1],
    [4, 3, 1, 5],
    [767, 444, 953, 801, 458, 106],
    [17, 18, 20, 2, 10, 22, 11],
    "+",
    1226920924488809,
    2830570206,
    5,
  ],
  [
    -18446744073709551619n,
    4,
    -781288672524,
    "d",
    -95.75139434662898,
    0.1908003558557797,
    [6, 7, 4, 1, 5, 3, 2, 0],
    [0, 2, 9, 1],
    [446, 133, 507, 51, 863, 265],
    [2, 23, 7, 21, 11, 29, 8],
    "-",
    2185552389128252,
    3527846624,
    5,
  ],
  [
    1000000000000000000000000000000n,
    4,
    -727160884451,
    "c",
    -95.6649373025495,
    0.9556181963162343,
    [5, 4, 0, 2, 7, 1, 3, 6],
    [9, 6, 7, 1],
    [660, 296, 746, 506, 59, 124],
    [0, 27, 8, 24, 29, 13, 16],
    "*",
    5347327068118559,
    516895595,
    5,
  ],
];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

for (const [seed, ...recorded] of RECORDED) {
  test(`pythonRandom: seed ${seed} gives CPython's numbers`, () => {
    const random = pythonRandom(seed);
    const drawn = [
      random.randint(1, 6),
      random.randint(-(10 ** 12), 10 ** 12),
      random.choice([..."abcde"]),
      random.uniform(-100, 100),
      random.random(),
      random.shuffle(upTo(8)),
      random.sample(upTo(10), 4),
      random.sample(upTo(1000), 6),
      random.sample(upTo(30), 7),
      random.weighted([..."+-*"], [0.4, 0.4, 0.2]),
      random.getrandbits(53),
      random.getrandbits(32),
      random.randint(5, 5),
    ];
    assert.deepEqual(drawn, recorded);
  });
}

test("pythonRandom: what cannot be drawn is refused", () => {
  const random = pythonRandom(1);
  assert.throws(() => random.randint(2, 1), /2\.\.1 is empty/);
  assert.throws(() => random.choice([]), /the list is empty/);
  assert.throws(() => random.sample([1, 2], 3), /3 of 2 items/);
  assert.throws(() => random.getrandbits(54), /outside 0\.\.53/);
});

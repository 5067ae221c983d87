import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { npyBytes, npyFile } from "../testing/array-files.ts";
import { readAll, refusal } from "../testing/read-array.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray, openLabels, openScores } from "./open-array.ts";

const path = join(temporaryFolder(), "a.npy");
const doubles = Buffer.from(Float64Array.of(1, 2, 3, 4).buffer);

// NumPy reads each of these headers (ast.literal_eval, then np.dtype of the descr).
it.each([
  [`{"descr": "<f8", "fortran_order": False, "shape": (2, 2)}`],
  [`{'descr' : '<f8' , 'fortran_order' : False , 'shape' : (2 , 2) , }`],
  [`{'descr': 'd', 'fortran_order': False, 'shape': (2, 2)}`],
  [`{'descr': 'float64', 'fortran_order': False, 'shape': (2, 2)}`],
  [`{'descr': '=f8', 'fortran_order': False, 'shape': (2, 2)}`],
  [`{'descr': '<d', 'shape': (2L, 2L), 'fortran_order': False}`],
  [`{'shape': (7,), 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'descr': '<f8'}`],
  [`{u'descr': r'<f8', 'fortran_order':\n False,\t'shape': (0x2, 2,)}    \n`],
  [`{'\\x64escr': '<f8', 'fortran_order': False, 'shape': ((2), 2)}`],
])("reads the header %s", async (header) => {
  writeFileSync(path, npyBytes(header, doubles));
  const source = await openScores(path);
  expect(source.shape).toEqual([2, 2]);
  expect(await readAll(source)).toEqual([1, 2, 3, 4]);
});

it.each<[string, RegExp]>([
  [`{'descr': '<f8', 'fortran_order': False, 'shape': [2, 2]}`, /'shape' is no tuple$/],
  [`{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 2)}`, /'fortran_order' is 0, expected True or False$/],
  [`{'descr': '<f8', 'fortran_order': False, 'shape': (2.0, 2)}  x`, /"x" at character \d+, expected its end$/],
  [`{'descr': '<f8', 'fortran_order': False, 'shape': (-2, 2)}`, /shape \(-2, 2\)$/],
  [`{'descr': '<f8', 'fortran_order': False, 'shape': (2.5, 2)}`, /shape \(2\.5, 2\)$/],
  [
    `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'more': 1}`,
    /4 keys, expected descr, fortran_order and shape$/,
  ],
  [`{'descr': '<f8' 'fortran_order': False}`, /expected a comma or \}$/],
  [`{'descr': '<f8, 'fortran_order': False}`, /expected a comma or \}|expected a colon/],
  [`{'descr': __import__('os')}`, /expected a literal$/],
  ["(".repeat(5000), /expected nesting of at most 32$/],
  [
    `{'descr': '<f16', 'fortran_order': False, 'shape': (2, 2)}`,
    /dtype "<f16" is not read, expected floats or integers$/,
  ],
  [
    `{'descr': '?', 'fortran_order': False, 'shape': (2, 2)}`,
    /dtype "\?" holds booleans, expected floats or integers$/,
  ],
])("refuses the header %.60s", async (header, message) => {
  writeFileSync(path, npyBytes(header, doubles));
  const text = await refusal(openArray(path));
  expect(text).toMatch(message);
  expect(text).not.toContain("\n");
});

it("single precision stays single, and its memory is used again", async () => {
  writeFileSync(path, npyFile([1, 2, 3, 4, 5, 6], [3, 2], { type: "float32" }));
  const source = await openScores(path);
  const spare: ArrayBuffer[] = [];
  const memories = new Set<ArrayBufferLike>();
  const read: number[] = [];
  for await (const block of source.blocks(1, spare)) {
    expect(block).toBeInstanceOf(Float32Array);
    read.push(...block);
    memories.add(block.buffer);
    spare.push(block.buffer as ArrayBuffer);
  }
  await source.close();
  expect(read).toEqual([1, 2, 3, 4, 5, 6]);
  expect(memories.size).toBe(2);
});

it("a vector of scores is one sample; labels are a vector, a column or one number", async () => {
  writeFileSync(path, npyFile([1, 2, 3], [3]));
  const scores = await openScores(path);
  expect(scores.shape).toEqual([1, 3]);
  expect(await readAll(scores, 5)).toEqual([1, 2, 3]);
  writeFileSync(path, npyFile([1, 2, 3], [3, 1]));
  const labels = await openLabels(path);
  expect(labels.shape).toEqual([3]);
  expect(await readAll(labels, 2)).toEqual([1, 2, 3]);
  writeFileSync(path, npyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", doubles.subarray(8, 16)));
  const one = await openLabels(path);
  expect(one.shape).toEqual([1]);
  expect(await readAll(one)).toEqual([2]);
});

it("one-hot and probability rows are labels where the user says so", async () => {
  writeFileSync(path, npyFile([0, 1, 0, 0.25, 0.25, 0.5], [2, 3], { type: "float32" }));
  expect(await refusal(openLabels(path))).toMatch(
    /has shape \(2, 3\), expected labels of shape \(batch,\).*--labels-as one-hot/,
  );
  const source = await openLabels(path, "one-hot");
  expect(source.shape).toEqual([2]);
  expect(await readAll(source, 1)).toEqual([1, 2]);
  for (const [row, message] of [
    [[0.5, 0.5, 0], /row 1 has no one largest value/],
    [[1, 1, 0], /row 1 adds up to 2, expected/],
    [[0, 0, 0], /row 1 adds up to 0, expected/],
    [[-1, 1, 1], /row 1, class 0 is -1, expected a probability$/],
    [[NaN, 1, 0], /row 1, class 0 is NaN, expected a probability$/],
  ] as const) {
    writeFileSync(path, npyFile([0, 1, 0, ...row], [2, 3]));
    expect(await refusal(openLabels(path, "one-hot").then((bad) => readAll(bad)))).toMatch(message);
  }
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAll, refusal } from "../testing/read-array.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray, openLabels, openScores, type OpenOptions } from "./open-array.ts";

const folder = temporaryFolder();
const path = join(folder, "t.csv");

async function read(
  text: string,
  options: OpenOptions = {},
): Promise<{ shape: readonly number[]; values: number[]; notes: string[] }> {
  writeFileSync(path, text);
  const source = await openArray(path, options);
  const notes = (source.notes ?? []).map((note) => note.replace(`${path}: `, ""));
  return { shape: source.shape, values: await readAll(source, 2), notes };
}
const refused = async (text: string, options: OpenOptions = {}): Promise<string> => {
  writeFileSync(path, text);
  return (await refusal(openArray(path, options))).replace(`${path}: `, "");
};

const HEADING = "line 1 is taken for a heading";
const INDEX = "column 1 is taken for row names";
const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

describe("heads of tables", () => {
  it.each<[string, string, string[]]>([
    ["pandas: an empty corner and row numbers", ",cat,dog\n0,0.1,0.2\n1,0.3,0.4\n2,0.5,0.6\n", [HEADING, INDEX]],
    ["pandas without names of columns: they count", ",0,1\n0,0.1,0.2\n1,0.3,0.4\n2,0.5,0.6\n", [HEADING, INDEX]],
    ["read by pandas and written again", "Unnamed: 0,cat,dog\n0,0.1,0.2\n1,0.3,0.4\n2,0.5,0.6\n", [HEADING, INDEX]],
    ["R's write.csv: quoted row names", '"","a","b"\n"1",0.1,0.2\n"2",0.3,0.4\n"3",0.5,0.6\n', [HEADING, INDEX]],
    [
      "R's write.table: a heading one field short",
      '"a","b"\n"1",0.1,0.2\n"2",0.3,0.4\n"3",0.5,0.6\n',
      [HEADING, INDEX],
    ],
    ["R without a heading", '"1",0.1,0.2\n"2",0.3,0.4\n"3",0.5,0.6\n', [INDEX]],
    ["a short numeric heading", "0,1\na,0.1,0.2\nb,0.3,0.4\nc,0.5,0.6\n", [HEADING, INDEX]],
    ["row names alone", "a.png,0.1,0.2\nb.png,0.3,0.4\nc.png,0.5,0.6\n", [INDEX]],
    ["row names with a heading", "file,cat,dog\na.png,0.1,0.2\nb.png,0.3,0.4\nc.png,0.5,0.6\n", [HEADING, INDEX]],
    ["a heading alone", "cat,dog\n0.1,0.2\n0.3,0.4\n0.5,0.6\n", [HEADING]],
    ["neither", "0.1,0.2\n0.3,0.4\n0.5,0.6\n", []],
  ])("%s", async (_, text, notes) => {
    expect(await read(text)).toEqual({ shape: [3, 2], values, notes });
  });

  it("a heading of numbers that count is no sample: the issue's loss was that of one sample too many", async () => {
    const text = "0,1,2,3,4\n0.5,0.25,0.125,1.5,2.5\n";
    expect(await read(text)).toEqual({ shape: [1, 5], values: [0.5, 0.25, 0.125, 1.5, 2.5], notes: [HEADING] });
    expect((await read(text, { header: false })).shape).toEqual([2, 5]);
  });

  it("labels with a heading, with an index, with both, with a name for a column", async () => {
    for (const text of ["label\n3\n1\n2\n", ",label\n0,3\n1,1\n2,2\n", ",0\n0,3\n1,1\n2,2\n", "3\n1\n2\n"]) {
      writeFileSync(path, text);
      const source = await openLabels(path);
      expect(source.shape).toEqual([3]);
      expect(await readAll(source)).toEqual([3, 1, 2]);
    }
  });

  it.each<[string, string, RegExp]>([
    [
      "counting samples",
      "0,1,2\n3,4,5\n6,7,9\n",
      /^line 1 counts 0, 1, \.\.\.: a heading or a sample\? say --header yes or no$/,
    ],
    [
      "a column that counts",
      "0,0.1\n1,0.2\n2,0.3\n",
      /^column 1 counts 0, 1, \.\.\.: row names or numbers\? say --index-column/,
    ],
    ["a named column that counts", "id,a\n1,0.1\n2,0.2\n", /^column 1 counts 1, 2, \.\.\.: row names or numbers\?/],
  ])("%s: refused as ambiguous, and read as the user says", async (_, text, message) => {
    expect(await refused(text)).toMatch(message);
    const rows = text.trim().split("\n").length;
    const yes = await read(text, { header: true, indexColumn: true });
    expect(yes.shape[0]).toBe(rows - 1);
    expect(yes.notes).toEqual([]);
  });

  it("a first row of NA or of nothing is a sample that is missing, not a heading", async () => {
    expect(await refused("NA,NA\n1,2\n")).toBe('line 1, column 1: "NA" is not a number');
    expect(await refused(",\n1,2\n")).toBe("line 1, column 1 is empty, expected a number");
    expect(await refused("1,2\n,\n")).toBe("line 2, column 1 is empty, expected a number");
    expect(await refused("0.5,oops\n1,2\n")).toBe('line 1, column 2: "oops" is not a number');
  });

  it("a heading alone is an empty batch of as many classes; nothing at all is refused", async () => {
    expect((await read("cat,dog,fish\n")).shape).toEqual([0, 3]);
    expect(await refused("")).toBe("is empty, expected rows of numbers");
    expect(await refused("\n \n\n")).toBe("is empty, expected rows of numbers");
  });
});

describe("what other tools write", () => {
  it("line endings may be mixed, and errors name the right line", async () => {
    expect((await read("0.1,0.2\r\n0.3,0.4\n0.5,0.6\r")).values).toEqual(values);
    expect(await refused("0.1,0.2\r\n0.3,oops\n0.5,0.6\n")).toBe('line 2, column 2: "oops" is not a number');
    expect(await refused("0.1,0.2\n0.3,oops\r\n0.5,0.6\n")).toBe('line 2, column 2: "oops" is not a number');
  });

  it("blank lines, blanks around values and before quotes", async () => {
    expect((await read('0.1, "0.2"\n   \n 0.3 ,\t0.4\n\n"0.5", 0.6 \n')).values).toEqual(values);
  });

  it("quoted text with commas, quotes and line ends in it, and broken quotes", async () => {
    const text = '"a, ""b""","c\nd"\n0.1,0.2\n0.3,0.4\n0.5,oops\n';
    expect(await refused(text)).toBe('line 5, column 2: "oops" is not a number');
    expect(await refused('0.1,0.2\n"0.3"x,0.4\n')).toBe("line 2, column 1: text follows a closing quote");
    expect(await refused('0.1,0.2\n0.3,"0.4\n')).toBe("line 2, column 2: a quote is not closed");
  });

  it("UTF-16 of either byte order and the mark of UTF-8, line ends at the ends of pieces", async () => {
    const text = "\ufeff0.1,0.2\r\n0.3,0.4\r\n0.5,0.6\r\n";
    for (const bytes of [Buffer.from(text), Buffer.from(text, "utf16le"), Buffer.from(text, "utf16le").swap16()]) {
      writeFileSync(path, bytes);
      expect(await readAll(await openArray(path))).toEqual(values);
    }
    // A piece is a megabyte: its last character is the first of a line end.
    const first = `${"0".repeat(2 ** 20 - 5)}.1,2\r`;
    const long = await read(`${first}\n3,4\n`);
    expect(first.length).toBe(2 ** 20);
    expect(long).toMatchObject({ shape: [2, 2], values: [0.1, 2, 3, 4] });
  });

  it("hexadecimal and other JavaScript is no number", async () => {
    for (const word of ["0x10", "0b1", "1_000", "1e", "1n"]) expect(await refused(`0.5,${word}\n`)).toContain(word);
  });

  it("a line of more than two million values is refused as it is read", async () => {
    expect(await refused("1,".repeat(2_000_001))).toBe("line 1 has more than 2000000 values, the most that are read");
  });
});

it("one column of numbers is a list: no scores", async () => {
  writeFileSync(path, "1.5\n2.5\n");
  expect(await refusal(openScores(path))).toMatch(/has shape \(2\), expected scores of shape \(batch, n\)$/);
});

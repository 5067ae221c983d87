import { once } from "node:events";
import { createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { npyFile } from "../testing/array-files.ts";
import { readAll, refusal } from "../testing/read-array.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray, openLabels, openScores } from "./open-array.ts";
import { openZip } from "./zip-members.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

async function writeZip(
  name: string,
  files: readonly (readonly [string, Buffer])[],
  compress: boolean,
): Promise<string> {
  const zip = new ZipFile();
  for (const [file, bytes] of files) zip.addBuffer(bytes, file, { compress });
  zip.end();
  await once(zip.outputStream.pipe(createWriteStream(path(name))), "close");
  return path(name);
}
const x = npyFile([1, 2, 3, 4, 5, 6], [3, 2], { type: "float32" });
const y = npyFile([1, 0, 1], [3], { type: "int64" });

describe(".npz", () => {
  it.each([true, false])("one array of several, by name; compressed: %s", async (compress) => {
    const file = await writeZip(
      "a.npz",
      [
        ["x.npy", x],
        ["y.npy", y],
      ],
      compress,
    );
    expect(await readAll(await openScores(`${file}:x`), 2)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await readAll(await openLabels(`${file}:y`), 2)).toEqual([1, 0, 1]);
    expect(await refusal(openScores(file))).toMatch(/name the array, as in .*a\.npz:NAME; it holds x, y$/);
    expect(await refusal(openScores(`${file}:z`))).toMatch(/no array "z"; it holds x, y$/);
  });

  it("the only array needs no name", async () => {
    const file = await writeZip("one.npz", [["arr_0.npy", x]], true);
    expect((await openScores(file)).shape).toEqual([3, 2]);
  });

  it("a changed bit is found by the checksum, stored or compressed", async () => {
    const file = await writeZip("bad.npz", [["x.npy", x]], false);
    const bytes = readFileSync(file);
    bytes[bytes.indexOf(x.subarray(-8))] ^= 64;
    writeFileSync(file, bytes);
    expect(await refusal(openScores(file))).toMatch(/x\.npy: damaged \.zip: its checksum does not fit its bytes$/);
  });
});

describe("members of a .zip", () => {
  it("a name that occurs twice is refused", async () => {
    const file = await writeZip(
      "twice.zip",
      [
        ["a/b.png", x],
        ["a/c.png", y],
        ["a/b.png", y],
      ],
      true,
    );
    expect(await refusal(openZip(file))).toBe(`${file}: holds a/b.png twice`);
  });

  it("a size beyond what its bytes can hold is refused before any of it is read", async () => {
    const file = await writeZip("bomb.zip", [["a.png", x]], true);
    const bytes = readFileSync(file);
    const central = bytes.indexOf(Buffer.from("PK\x01\x02", "latin1"));
    bytes.writeUInt32LE(2 ** 27, central + 24);
    writeFileSync(file, bytes);
    const zip = await openZip(file);
    expect(await refusal(zip.members[0].read(2 ** 28))).toMatch(/claims 134217728 bytes of \d+ compressed ones/);
    expect(await refusal(zip.members[0].read(2 ** 20))).toMatch(/claims 134217728 bytes, expected at most 1048576$/);
    zip.close();
  });
});

describe(".parquet", () => {
  const columns = (more: object[] = []): Buffer =>
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: "width", data: Float64Array.of(0.5, 1.5, 2.5, 3.5), type: "DOUBLE" },
          { name: "height", data: Float32Array.of(1, 2, 3, 4), type: "FLOAT" },
          { name: "class", data: Int32Array.of(0, 1, 1, 0), type: "INT32" },
          ...(more as never[]),
        ],
        rowGroupSize: 3,
      }),
    );

  it("all columns are a matrix, one is a vector; another is left out where it holds the labels", async () => {
    writeFileSync(path("t.parquet"), columns());
    const all = await openArray(path("t.parquet"));
    expect(all.shape).toEqual([4, 3]);
    expect(await readAll(all, 2)).toEqual([0.5, 1, 0, 1.5, 2, 1, 2.5, 3, 1, 3.5, 4, 0]);
    const labels = await openLabels(`${path("t.parquet")}:class`);
    expect([labels.shape, await readAll(labels)]).toEqual([[4], [0, 1, 1, 0]]);
    const features = await openArray(path("t.parquet"), { except: ["class"] });
    expect(features.notes).toEqual([`${path("t.parquet")}: column class is no feature`]);
    expect(await readAll(features)).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]);
  });

  it("pandas' row names are left out, with a line that says so", async () => {
    writeFileSync(path("i.parquet"), columns([{ name: "__index_level_0__", data: [0n, 1n, 2n, 3n], type: "INT64" }]));
    const source = await openArray(path("i.parquet"));
    expect(source.shape).toEqual([4, 3]);
    expect(source.notes?.[0]).toMatch(/column __index_level_0__ is taken for row names$/);
  });

  it("refuses text, gaps, unknown columns, damage, each in one line", async () => {
    writeFileSync(path("s.parquet"), columns([{ name: "name", data: ["a", "b", "c", "d"], type: "STRING" }]));
    expect(await refusal(openArray(path("s.parquet")))).toMatch(/row 0, column name is "a", expected a number$/);
    writeFileSync(path("n.parquet"), columns([{ name: "gap", data: [1, null, 2, 3], type: "DOUBLE", nullable: true }]));
    expect(await refusal(openArray(path("n.parquet")))).toMatch(/row 1, column gap is missing, expected a number$/);
    expect(await refusal(openArray(`${path("s.parquet")}:none`))).toMatch(/no column "none"; it holds width, height/);
    const bytes = columns();
    for (const length of [0, 4, 11, bytes.length - 1]) {
      writeFileSync(path("cut.parquet"), bytes.subarray(0, length));
      expect(await refusal(openArray(path("cut.parquet")))).toMatch(/not a Parquet file: [^\n]*$/);
    }
    const lies = Buffer.from(bytes);
    lies.writeUInt32LE(0x7fffffff, lies.length - 8);
    writeFileSync(path("lies.parquet"), lies);
    expect(await refusal(openArray(path("lies.parquet")))).toMatch(/its footer claims 2147483647 bytes/);
  });
});

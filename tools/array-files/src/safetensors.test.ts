import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { safetensorsBytes } from "../testing/array-files.ts";
import { readAll, refusal } from "../testing/read-array.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray } from "./open-array.ts";

const path = join(temporaryFolder(), "t.safetensors");
const a = `"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}`;
const b = `"b":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}`;

async function refused(header: string, bytes: number): Promise<string> {
  writeFileSync(path, safetensorsBytes(header, Buffer.alloc(bytes)));
  return (await refusal(openArray(`${path}:a`))).replace(`${path}:`, "");
}

// What the format's own reader (Rust) refuses.
it.each<[string, string, number, RegExp]>([
  ["a tensor twice", `{${a},${a}}`, 8, /holds "a" twice$/],
  ["metadata twice", `{"__metadata__":{},"__metadata__":{},${a}}`, 8, /holds "__metadata__" twice$/],
  ["metadata that is no text", `{"__metadata__":{"x":1},${a}}`, 8, /__metadata__ that is not text by name$/],
  [
    "a hole",
    `{${a},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`,
    16,
    /^b: begins at byte 12 .* leaves a hole before it, expected 8$/,
  ],
  ["a hole at the start", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12, /leaves a hole/],
  [
    "an overlap",
    `{${a},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
    8,
    /^b: begins at byte 4 .* overlaps the one before/,
  ],
  ["bytes behind the last", `{${a}}`, 9, /1 bytes follow the last tensor, expected none$/],
  ["a file cut short", `{${a},${b}}`, 11, /the file is cut short: 11 bytes of data, expected 12$/],
  [
    "floats in a shape",
    `{"a":{"dtype":"F32","shape":[2.0,1],"data_offsets":[0,8]}}`,
    8,
    /shape is \[2\.0,1\], expected a list of integers >= 0$/,
  ],
  [
    "an exponent in a shape",
    `{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}`,
    8,
    /shape is \[2e0\], expected/,
  ],
  ["a negative shape", `{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8, /shape is \[-2\], expected/],
  [
    "a shape beyond 2^53",
    `{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}}`,
    8,
    /expected a list of integers/,
  ],
  ["a field twice", `{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, 8, /each once$/],
  ["an unknown type", `{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,8]}}`, 8, /dtype is "F33", expected one of/],
  [
    "another tensor's damage",
    `{${a},"b":{"dtype":"F32","shape":[3],"data_offsets":[8,12]}}`,
    12,
    /^b: offsets 8 to 12 do not fit/,
  ],
  ["deep nesting", `{"a":${"[".repeat(1_000_000)}`, 0, /nested deeper than 3 levels$/],
  ["a blank in front", ` {${a}}`, 8, /begins with .*expected \{$/],
])("refuses %s", async (_, header, bytes, message) => {
  expect(await refused(header, bytes)).toMatch(message);
});

it("the name may be of another case, as the path may be", async () => {
  const upper = path.replace("t.safetensors", "UP.SAFETENSORS");
  writeFileSync(upper, safetensorsBytes(`{${a},${b}} `, Buffer.alloc(12)));
  const source = await openArray(`${upper}:b`);
  expect(await readAll(source)).toEqual([0]);
});

it("reads a tensor beside one of a type that it does not read, and an empty one", async () => {
  const other = `"c":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]},"e":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}`;
  writeFileSync(path, safetensorsBytes(`{${other},${a}}`, Buffer.alloc(11)));
  expect(await readAll(await openArray(`${path}:a`))).toEqual([0, 0]);
  expect(await refusal(openArray(`${path}:c`))).toMatch(/:c: dtype BOOL is not read/);
});

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { jsonDepth, jsonMembers } from "./json-members.ts";

it("the texts of the members, parsed, are the object, whatever blanks stand between", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 4 }), (object, indent) => {
      const members = jsonMembers(JSON.stringify(object, null, indent));
      expect(members.map(({ key, text }) => [key, JSON.parse(text) as unknown])).toEqual(
        Object.entries(JSON.parse(JSON.stringify(object)) as object),
      );
    }),
  );
});

it("keeps what parsing loses: keys that occur twice, digits, exponents", () => {
  const text = '{ "id" : 9007199254740993 , "a":[1.0, {"b":"}"}],"id":1e400,"\\u0069d":-0 }';
  expect(jsonMembers(text)).toEqual([
    { key: "id", text: "9007199254740993" },
    { key: "a", text: '[1.0, {"b":"}"}]' },
    { key: "id", text: "1e400" },
    { key: "id", text: "-0" },
  ]);
});

it("counts nesting and stops at its limit", () => {
  expect(jsonDepth('{"a":[[1],"[[[[\\"["],"b":{}}', 9)).toBe(3);
  expect(jsonDepth("[".repeat(1_000_000), 64)).toBe(65);
});

/**
 * The limit of what all orders at once take, from both sides.
 */
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyPartial, espPartial, logEsp, logEspVjp, logEspVjpOfShard } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

const K = 4;
const LIMIT = 2 ** 52 / K;

it.each([
  [LIMIT, LIMIT, LIMIT, LIMIT],
  [LIMIT, -LIMIT, LIMIT - 1, 3 - LIMIT],
  [-LIMIT, -LIMIT, -LIMIT, 7 - LIMIT],
])("logEsp is right to 2 u up to 2^52 / k in size: %s, %s, %s, %s", (...x) => {
  const expected = oracle.logEsp(x, K);
  const actual = logEsp(x, K).data;
  for (let j = 0; j <= K; j++) {
    const bound = 2 * Math.max(1, Math.abs(expected[j])) * 2 ** -53;
    expect(Math.abs(actual[j] - expected[j])).toBeLessThanOrEqual(bound);
  }
});

it("beyond it all refuse the entry by name", () => {
  const x = [0, 0, LIMIT * (1 + 2 ** -50), 0];
  expect(() => logEsp(x, K)).toThrow("logEsp: x[2] is");
  expect(() => logEspVjp(x, K, [0, 0, 0, 0, 1])).toThrow("logEspVjp: x[2] is");
  expect(() => espPartial(x, K)).toThrow("espPartial: x[2] is");
  expect(() => logEspVjpOfShard(x, [0, 0, 0, 0, 1], emptyPartial(K))).toThrow("logEspVjpOfShard: x[2] is");
  expect(() => logEspVjp([2 ** 52, 2 ** 52, 2 ** 52, 2 ** 52], 2, [0, 0, 1])).toThrow("logEspVjp: x[0] is");
});

it("up to it the vector-Jacobian product of equal entries is j / n", () => {
  const at = 2 ** 51;
  // Promised: 64 k u of each.
  for (const v of logEspVjp([at, at, at, at], 2, [0, 0, 1]).data) {
    expect(Math.abs(v - 0.5)).toBeLessThanOrEqual(64 * 2 * 0.5 * 2 ** -53);
  }
});

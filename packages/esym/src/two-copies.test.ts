/**
 * A backend and a loss may hold two copies of this package. In Node only: a browser loads a module once.
 */
import { expect, it, vi } from "vitest";
import { logEspRatio } from "./log-esp-ratio.ts";

it("rows that passed a border are taken as they are, from another copy of the package too", async () => {
  const { CheckedRows, rowsOf } = await import("./kernel.ts");
  vi.resetModules();
  const other = await import("./kernel.ts");
  expect(other.CheckedRows).not.toBe(CheckedRows);
  const rows = new other.CheckedRows(rowsOf("f", "x", [2, 1, 0]));
  expect(logEspRatio(rows, 2)).toEqual(logEspRatio([2, 1, 0], 2));
});

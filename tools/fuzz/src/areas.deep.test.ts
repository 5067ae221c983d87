/**
 * Ten minutes of every area that needs no GPU.
 */
import { expect, it } from "vitest";
import { areas, type AreaName } from "./areas.ts";

const minutes: Readonly<Partial<Record<AreaName, number>>> = { loss: 4, esym: 2, grad: 1, files: 1, stdio: 1, gpu: 1 };
const seed = Number(process.env["FC_SEED"] ?? 1);

it.each(Object.entries(minutes) as [AreaName, number][])("%s stands %d minutes of random cases", async (name, time) => {
  const { results, failures } = await areas[name]({ seed, time: time * 60_000, cases: Infinity });
  expect(failures).toEqual([]);
  for (const { cases } of results) expect(cases).toBeGreaterThan(0);
});

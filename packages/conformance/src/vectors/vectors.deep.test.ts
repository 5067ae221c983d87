import { expect, it } from "vitest";
import { createExactFunctions } from "./exact-results.ts";
import { loadVectors } from "./load-vectors.ts";
import { drawnCases, judgeByOracle } from "./make-case.ts";

it("the oracle makes every case again, to the bit", async () => {
  const exact = await createExactFunctions();
  for (const { function: name, tests } of loadVectors()) {
    const again = [...drawnCases(name)].map((given) => judgeByOracle(exact, given));
    expect(again).toEqual(tests.slice(0, again.length));
  }
  exact.destroy();
});

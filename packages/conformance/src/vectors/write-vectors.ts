/** `npm run vectors`: makes every vector file anew. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createExactFunctions } from "./exact-results.ts";
import { invalidCases } from "./invalid-cases.ts";
import { drawnCases, judgeByOracle } from "./make-case.ts";
import { FUNCTIONS } from "./vector-file.ts";
import { vectorFile, vectorText } from "./vector-text.ts";

const folder = new URL("../../vectors/", import.meta.url);
mkdirSync(folder, { recursive: true });

const exact = await createExactFunctions();
let total = 0;
for (const name of FUNCTIONS) {
  const drawn = [...drawnCases(name)].map((given) => judgeByOracle(exact, given));
  const file = vectorFile(name, [...drawn, ...invalidCases(name)]);
  writeFileSync(new URL(`${name}.json`, folder), vectorText(file));
  total += file.numberOfTests;
  console.log(`${name}: ${file.numberOfTests} cases`);
}
exact.destroy();
console.log(`${total} cases`);

/**
 * Writes the plots of the documentation to docs/plots.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { FIGURES } from "./figures.ts";

const folder = new URL("../../../docs/plots/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(FIGURES)) {
  const text = make();
  writeFileSync(new URL(`${name}.svg`, folder), text);
  console.log(`docs/plots/${name}.svg: ${text.length} bytes`);
}

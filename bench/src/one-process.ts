/**
 * One process of the speed benchmark: measures a section and prints what it found as JSON.
 *
 *     node one-process.js SECTION SECONDS [CASE]
 */
import type { ProcessCase } from "./between-processes.ts";
import type { Effort } from "./interleaved-timer.ts";
import { scoreBatch } from "./score-batch.ts";
import { speedOfEsps } from "./speed-esp.ts";
import { speedOfConvolutions, speedOfProducts, speedOfTape } from "./speed-grad.ts";
import { BATCH, CLASSES, speedOfLosses, speedOfShapes, timeLosses } from "./speed-loss.ts";
import { MEMORY_CASES, memoryGrowth } from "./speed-memory.ts";
import { speedOfParts } from "./speed-parts.ts";
import { speedByOrder, speedBySize } from "./speed-scaling.ts";

const sections: Record<string, (effort: Effort) => ProcessCase[] | Promise<ProcessCase[]>> = {
  float64: (effort) => speedOfLosses("float64", effort),
  float32: (effort) => speedOfLosses("float32", effort),
  shapes: speedOfShapes,
  orders: speedByOrder,
  sizes: speedBySize,
  esp: speedOfEsps,
  parts: speedOfParts,
  products: speedOfProducts,
  convolutions: speedOfConvolutions,
  tape: speedOfTape,
  "authors-float64": (effort) => timeLosses(scoreBatch(BATCH, CLASSES, "float64"), "float64", 5, [1], effort),
  "authors-float32": (effort) => timeLosses(scoreBatch(BATCH, CLASSES, "float32"), "float32", 5, [1], effort),
};

const [section, seconds, memoryCase] = process.argv.slice(2);
const found =
  section === "memory"
    ? memoryGrowth(MEMORY_CASES[Number(memoryCase)])
    : await sections[section]({ seconds: Number(seconds), fewestRounds: 5 });
process.stdout.write(JSON.stringify(found));

/**
 * Which row of the user's files is at fault, after a computation has failed: nothing is scanned for it before.
 */
import { BadInput } from "@smooth-topk/array-files";
import type { BlockSettings, ScoreBlock } from "./block-types.ts";

/**
 * The first row that a loss is not defined for, by its file and its number there.
 *
 * @param overflow  a row whose loss is not finite, where no row is at fault by itself.
 * @returns null where all rows are as they should be and no loss is at fault.
 */
export function badRow(
  { n, ignoreIndex, scoresName, labelsName }: BlockSettings,
  { firstRow, scores, labels, weights }: ScoreBlock,
  overflow?: { readonly row: number; readonly loss: number },
): BadInput | null {
  for (let r = 0; r < labels.length; r++) {
    const label = labels[r];
    const row = firstRow + r;
    if (label === ignoreIndex) continue;
    if (!Number.isInteger(label) || label < 0 || label >= n) {
      return new BadInput(`${labelsName}: label of row ${row} is ${label}, expected an integer in [0, ${n - 1}]`);
    }
    if (weights !== null && !(weights[r] >= 0 && weights[r] < Infinity)) {
      return new BadInput(`--weights: weight of row ${row} is ${weights[r]}, expected a finite number >= 0`);
    }
    for (let i = 0; i < n; i++) {
      const value = scores[r * n + i];
      if (!(value < Infinity)) {
        return new BadInput(
          `${scoresName}: score of row ${row}, class ${i} is ${value}, expected a finite number or -Infinity`,
        );
      }
    }
    if (scores[r * n + label] === -Infinity) {
      return new BadInput(`${labelsName}: label of row ${row} is ${label}, a masked class: its score is -Infinity`);
    }
  }
  if (overflow === undefined) return null;
  const { row, loss } = overflow;
  return new BadInput(
    `${scoresName}: the loss of row ${firstRow + row} is ${loss}: its scores lie too far apart for this precision`,
  );
}

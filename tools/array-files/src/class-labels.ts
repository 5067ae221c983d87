/**
 * Labels however they are written: integers in any type, a column of them, or a row of one-hot or probability values.
 */
import { type ArraySource, type Numbers, rowsAndColumns } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";

export const LABEL_KINDS = ["index", "one-hot"] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** Half-precision probabilities of 1000 classes add up to 1 within this. */
const SUM_TOLERANCE = 0.01;

/** A source of one number for each sample, shape [batch]. */
export function labelsOf(source: ArraySource, kind: LabelKind): ArraySource {
  const { name, shape } = source;
  const [rows, columns] = rowsAndColumns(shape);
  if (kind === "index") {
    if (columns !== 1 || shape.length > 2) {
      const hint =
        shape.length === 2 && columns > 1 ? " (one row of numbers for each sample: --labels-as one-hot)" : "";
      throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected labels of shape (batch,)${hint}`);
    }
    return { ...source, shape: [rows] };
  }
  if (shape.length !== 2) {
    throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected one-hot labels of shape (batch, n)`);
  }
  async function* blocks(rowsPerBlock: number): AsyncGenerator<Float64Array> {
    let row = 0;
    for await (const block of source.blocks(rowsPerBlock)) {
      const labels = new Float64Array(block.length / columns);
      for (let r = 0; r < labels.length; r++, row++) labels[r] = hottest(name, block, r * columns, columns, row);
      yield labels;
    }
  }
  return { ...source, shape: [rows], kind: "integer", classes: columns, blocks };
}

/** The class of the one largest value. */
function hottest(name: string, block: Numbers, from: number, columns: number, row: number): number {
  let best = 0;
  let ties = 0;
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const value = block[from + c];
    if (!(value >= 0 && value <= 1 + SUM_TOLERANCE)) {
      throw new BadInput(`${name}: row ${row}, class ${c} is ${value}, expected a probability`);
    }
    sum += value;
    if (value > block[from + best]) {
      best = c;
      ties = 0;
    } else if (c > 0 && value === block[from + best]) ties++;
  }
  if (!(Math.abs(sum - 1) <= SUM_TOLERANCE)) {
    throw new BadInput(
      `${name}: row ${row} adds up to ${sum}, expected one-hot or probability values that add up to 1`,
    );
  }
  if (ties > 0) throw new BadInput(`${name}: row ${row} has no one largest value, expected a class that stands out`);
  return best;
}

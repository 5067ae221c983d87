/**
 * Windows that slide over images: where they lie, and copying them out of an image and back.
 */
import { show } from "./layout.ts";

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** Windows of [height, width] over images [.., rows, columns]; `out` counts their places. */
export interface Windows {
  readonly rows: number;
  readonly columns: number;
  readonly height: number;
  readonly width: number;
  readonly stepDown: number;
  readonly stepRight: number;
  readonly above: number;
  readonly left: number;
  readonly outRows: number;
  readonly outColumns: number;
}

/** @throws RangeError naming the setting that is not an integer >= lowest. */
function pair(caller: string, setting: string, value: Pair, lowest: number): readonly [number, number] {
  const both = typeof value === "number" ? ([value, value] as const) : value;
  if (both.length !== 2 || both.some((v) => !Number.isInteger(v) || v < lowest)) {
    throw new RangeError(`${caller}: ${setting} is ${both.join(", ")}, expected integers of at least ${lowest}`);
  }
  return both;
}

/** @throws RangeError naming both shapes if a window is larger than the padded image. */
export function windowsOver(
  caller: string,
  image: readonly number[],
  size: Pair,
  stride: Pair,
  padding: Pair = 0,
): Windows {
  const [rows, columns] = image.slice(-2);
  const [height, width] = pair(caller, "size", size, 1);
  const [stepDown, stepRight] = pair(caller, "stride", stride, 1);
  const [above, left] = pair(caller, "padding", padding, 0);
  const outRows = Math.floor((rows + 2 * above - height) / stepDown) + 1;
  const outColumns = Math.floor((columns + 2 * left - width) / stepRight) + 1;
  if (outRows < 1 || outColumns < 1) {
    throw new RangeError(
      `${caller}: a window of ${show([height, width])} does not fit in x of shape ${show(image)} padded by ${show([above, left])}`,
    );
  }
  return { rows, columns, height, width, stepDown, stepRight, above, left, outRows, outColumns };
}

/**
 * Visits, for each cell of the window and each row of places, the run of places at which that cell lies in the image:
 * places `from` to `to` (exclusive) of out row `y`, the first at image[at], the next ones stepRight further.
 */
export function forEachRun(
  windows: Windows,
  visit: (cell: number, y: number, from: number, to: number, at: number) => void,
): void {
  const { rows, columns, height, width, stepDown, stepRight, above, left, outRows, outColumns } = windows;
  for (let r = 0; r < height; r++) {
    for (let s = 0; s < width; s++) {
      // image column = place * stepRight + s - left lies in [0, columns)
      const from = Math.max(0, Math.ceil((left - s) / stepRight));
      const to = Math.min(outColumns, Math.floor((columns - 1 + left - s) / stepRight) + 1);
      if (from >= to) continue;
      for (let y = 0; y < outRows; y++) {
        const row = y * stepDown + r - above;
        if (row >= 0 && row < rows) visit(r * width + s, y, from, to, row * columns + from * stepRight + s - left);
      }
    }
  }
}

/**
 * Pooling: each window of an image becomes its largest element, or its mean.
 */
import { div } from "./arithmetic.ts";
import { pick } from "./indexing.ts";
import { asArray, dtypeOf, flat, type FloatArray, inPrecision, show, sizeOf, wrap } from "../arrays/layout.ts";
import { reshape } from "./shapes.ts";
import { defineVjp, type Operand, shapeOf, type Tensor, unwrap } from "../core/tape.ts";
import { forEachRun, type Pair, type Windows, windowsOver } from "../arrays/windows.ts";

export interface Pooling {
  /** Extent of a window. */
  readonly size: Pair;
  /** Steps between windows. Default: size, so that they tile the image. */
  readonly stride?: Pair | undefined;
}

type Numbers = readonly number[];

function geometry(caller: string, x: Operand, { size, stride = size }: Pooling): { windows: Windows; shape: Numbers } {
  const image = shapeOf(x);
  if (image.length !== 4) {
    throw new RangeError(`${caller}: x has shape ${show(image)}, expected [batch, channels, rows, columns]`);
  }
  const windows = windowsOver(caller, image, size, stride);
  return { windows, shape: [image[0], image[1], windows.outRows, windows.outColumns] };
}

/**
 * The largest element of every window; rows and columns that fill no window are left out.
 *
 * @param x  shape [batch, channels, rows, columns].
 * @returns  shape [batch, channels, floor((rows - size) / stride) + 1, likewise].
 * @throws RangeError naming the shape or the setting that does not fit.
 *
 * The cotangent goes to the first of several largest elements.
 */
export function maxPool2d(x: Operand, options: Pooling): Tensor {
  const { windows, shape } = geometry("maxPool2d", x, options);
  // Locally the pooled image picks elements of x, and that is how it is differentiated.
  const largest = positionsOfLargest(asArray(unwrap(x)), windows, sizeOf(shape));
  return reshape(pick(reshape(x, [-1]), largest, 0), shape);
}

function positionsOfLargest(x: FloatArray, windows: Windows, count: number): Int32Array {
  const data = flat(x);
  const { rows, columns, stepRight, outRows, outColumns } = windows;
  const places = outRows * outColumns;
  const out = new Int32Array(count).fill(-1);
  for (let start = 0, first = 0; first < count; start += rows * columns, first += places) {
    forEachRun(windows, (_cell, y, from, to, at) => {
      const row = first + y * outColumns;
      for (let place = from, p = start + at; place < to; place++, p += stepRight) {
        const best = out[row + place];
        if (best < 0 || data[p] > data[best] || data[p] !== data[p]) out[row + place] = p;
      }
    });
  }
  return out;
}

/**
 * The mean of every window; rows and columns that fill no window are left out.
 *
 * @param x  shape [batch, channels, rows, columns].
 * @returns  shape [batch, channels, floor((rows - size) / stride) + 1, likewise].
 * @throws RangeError naming the shape or the setting that does not fit.
 */
export function avgPool2d(x: Operand, options: Pooling): Tensor {
  const { windows, shape } = geometry("avgPool2d", x, options);
  return div(windowSums(x, windows, shape), windows.height * windows.width);
}

/** Sums over windows, and the adjoint: every cotangent to all of its window. */
const windowSums: (x: Operand, windows: Windows, shape: Numbers) => Tensor = defineVjp<[Operand, Windows, Numbers]>({
  name: "avgPool2d",
  forward: (x, windows, shape) => {
    const images = asArray(x);
    const data = flat(images);
    const sums = new Float64Array(sizeOf(shape));
    eachImage(windows, sums.length, (image, first, y, from, to, at) => {
      for (let place = from, p = image + at; place < to; place++, p += windows.stepRight) {
        sums[first + y * windows.outColumns + place] += data[p];
      }
    });
    return wrap(inPrecision(sums, dtypeOf(images)), shape);
  },
  vjps: { x: (g, _answer, x, windows) => spread(g, windows, shapeOf(x)) },
});

const spread: (g: Operand, windows: Windows, shape: Numbers) => Tensor = defineVjp<[Operand, Windows, Numbers]>({
  name: "avgPool2d, gradient in x",
  forward: (g, windows, shape) => {
    const cotangents = asArray(g);
    const data = flat(cotangents);
    const images = new Float64Array(sizeOf(shape));
    eachImage(windows, data.length, (image, first, y, from, to, at) => {
      for (let place = from, p = image + at; place < to; place++, p += windows.stepRight) {
        images[p] += data[first + y * windows.outColumns + place];
      }
    });
    return wrap(inPrecision(images, dtypeOf(cotangents)), shape);
  },
  vjps: { g: (c, _answer, g, windows) => windowSums(c, windows, shapeOf(g)) },
});

type VisitRun = (image: number, first: number, y: number, from: number, to: number, at: number) => void;

/** The runs of every image of a batch: `image` is where it starts, `first` where its places start. */
function eachImage(windows: Windows, count: number, visit: VisitRun): void {
  const { rows, columns, outRows, outColumns } = windows;
  for (let image = 0, first = 0; first < count; image += rows * columns, first += outRows * outColumns) {
    forEachRun(windows, (_cell, y, from, to, at) => visit(image, first, y, from, to, at));
  }
}

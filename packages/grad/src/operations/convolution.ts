/**
 * Two-dimensional convolution (cross-correlation, as networks use it), by matrix products with the windows of an image as
 * columns.
 *
 * y = conv(x, w) is linear in x and in w, so that the trilinear form <g, conv(x, w)> has three gradients,
 * conv(x, w) in g, inputOf(g, w) in x and kernelOf(x, g) in w, and each is the rule of the others.
 */
import { gemm } from "../arrays/gemm.ts";
import {
  allocate,
  asArray,
  commonDtype,
  flat,
  type Floats,
  inPrecision,
  show,
  sizeOf,
  wrap,
} from "../arrays/layout.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";
import { forEachRun, type Pair, type Windows, windowsOver } from "../arrays/windows.ts";

export interface Convolution {
  /** Steps between windows. Default 1. */
  readonly stride?: Pair | undefined;
  /** Zeros around the image. Default 0. */
  readonly padding?: Pair | undefined;
}

type Numbers = readonly number[];
type Linear = (a: Operand, b: Operand, windows: Windows, shape: Numbers) => Tensor;

/**
 * y[b, o, i, j] = sum over c, r, s of w[o, c, r, s] x[b, c, i stride + r - padding, j stride + s - padding].
 *
 * @param x  images, shape [batch, channels, rows, columns].
 * @param w  kernels, shape [outputs, channels, height, width].
 * @returns  shape [batch, outputs, floor((rows + 2 padding - height) / stride) + 1, likewise].
 * @throws RangeError naming both shapes if they do not match or no window fits.
 *
 * Sums in doubles whatever the precision. Memory of one image's windows beside the result.
 */
export function conv2d(x: Operand, w: Operand, { stride = 1, padding = 0 }: Convolution = {}): Tensor {
  const [image, kernel] = [shapeOf(x), shapeOf(w)];
  if (image.length !== 4 || kernel.length !== 4 || image[1] !== kernel[1]) {
    const expected =
      image.length === 4 ? `[outputs, ${image[1]}, height, width]` : "[outputs, channels, height, width]";
    throw new RangeError(
      `conv2d: w has shape ${show(kernel)} and x has shape ${show(image)}, expected ${expected} and [batch, channels, rows, columns]`,
    );
  }
  const windows = windowsOver("conv2d", image, [kernel[2], kernel[3]], stride, padding);
  return convolve(x, w, windows, [image[0], kernel[0], windows.outRows, windows.outColumns]);
}

const convolve: Linear = defineVjp<Parameters<Linear>>({
  name: "conv2d",
  forward: (x, w, windows, shape) => {
    const [images, kernels] = [asArray(x), asArray(w)];
    const out = allocate(commonDtype([x, w]), sizeOf(shape));
    const [batch, outputs] = shape;
    const places = windows.outRows * windows.outColumns;
    const depth = sizeOf(kernels.shape) / outputs;
    const columns = new Float64Array(depth * places);
    const product = new Float64Array(outputs * places);
    const pixels = flat(images);
    for (let b = 0; b < batch; b++) {
      copyWindows(pixels, (b * pixels.length) / batch, images.shape[1], windows, columns);
      product.fill(0);
      gemm(outputs, places, depth, rowMajor(flat(kernels), 0, depth), rowMajor(columns, 0, places), product, 0);
      out.set(product, b * product.length);
    }
    return wrap(out, shape);
  },
  vjps: {
    x: (g, _answer, x, w, windows) => inputOf(g, w, windows, shapeOf(x)),
    w: (g, _answer, x, w, windows) => kernelOf(x, g, windows, shapeOf(w)),
  },
});

const inputOf: Linear = defineVjp<Parameters<Linear>>({
  name: "conv2d, gradient in x",
  forward: (g, w, windows, shape) => {
    const [cotangents, kernels] = [asArray(g), asArray(w)];
    const [batch, outputs] = cotangents.shape;
    const places = windows.outRows * windows.outColumns;
    const depth = sizeOf(kernels.shape) / outputs;
    const columns = new Float64Array(depth * places);
    const image = new Float64Array(sizeOf(shape) / batch);
    const out = allocate(commonDtype([g, w]), sizeOf(shape));
    const values = flat(cotangents);
    const transposed = { data: flat(kernels), offset: 0, rowStride: 1, columnStride: depth };
    for (let b = 0; b < batch; b++) {
      columns.fill(0);
      gemm(depth, places, outputs, transposed, rowMajor(values, b * outputs * places, places), columns, 0);
      addWindows(columns, shape[1], windows, image.fill(0));
      out.set(image, b * image.length);
    }
    return wrap(out, shape);
  },
  vjps: {
    g: (c, _answer, g, w, windows) => convolve(c, w, windows, shapeOf(g)),
    w: (c, _answer, g, w, windows) => kernelOf(c, g, windows, shapeOf(w)),
  },
});

const kernelOf: Linear = defineVjp<Parameters<Linear>>({
  name: "conv2d, gradient in w",
  forward: (x, g, windows, shape) => {
    const [images, cotangents] = [asArray(x), asArray(g)];
    const [batch, outputs] = cotangents.shape;
    const places = windows.outRows * windows.outColumns;
    const depth = sizeOf(shape) / outputs;
    const columns = new Float64Array(depth * places);
    const sums = new Float64Array(outputs * depth);
    const [pixels, values] = [flat(images), flat(cotangents)];
    const transposed = { data: columns, offset: 0, rowStride: 1, columnStride: places };
    for (let b = 0; b < batch; b++) {
      copyWindows(pixels, (b * pixels.length) / batch, images.shape[1], windows, columns);
      gemm(outputs, depth, places, rowMajor(values, b * outputs * places, places), transposed, sums, 0);
    }
    return wrap(inPrecision(sums, commonDtype([x, g])), shape);
  },
  vjps: {
    x: (c, _answer, x, g, windows) => inputOf(g, c, windows, shapeOf(x)),
    g: (c, _answer, x, g, windows) => convolve(x, c, windows, shapeOf(g)),
  },
});

function rowMajor(data: Floats, offset: number, columns: number): Parameters<typeof gemm>[3] {
  return { data, offset, rowStride: columns, columnStride: 1 };
}

/** out[channel, cell, place] = the image's value under that cell of the window, 0 in the padding. */
function copyWindows(pixels: Floats, offset: number, channels: number, windows: Windows, out: Float64Array): void {
  const { rows, columns, height, width, stepRight, outRows, outColumns } = windows;
  const places = outRows * outColumns;
  out.fill(0);
  for (let c = 0; c < channels; c++) {
    const image = offset + c * rows * columns;
    const target = c * height * width * places;
    forEachRun(windows, (cell, y, from, to, at) => {
      const row = target + cell * places + y * outColumns;
      for (let place = from, p = image + at; place < to; place++, p += stepRight) out[row + place] = pixels[p];
    });
  }
}

/** The adjoint of copyWindows: every value added to the pixel that it would be a copy of. */
function addWindows(columns: Float64Array, channels: number, windows: Windows, image: Float64Array): void {
  const { rows, columns: imageColumns, height, width, stepRight, outRows, outColumns } = windows;
  const places = outRows * outColumns;
  for (let c = 0; c < channels; c++) {
    const start = c * rows * imageColumns;
    const source = c * height * width * places;
    forEachRun(windows, (cell, y, from, to, at) => {
      const row = source + cell * places + y * outColumns;
      for (let place = from, p = start + at; place < to; place++, p += stepRight) image[p] += columns[row + place];
    });
  }
}

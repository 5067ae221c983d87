/**
 * Matrix products and convolutions, forward and with both gradients, against the plain CPU backend of TensorFlow.js, which
 * computes in single precision; and what the tape adds to the fused loss.
 */
import {
  type Dtype,
  type FloatArray,
  conv2d,
  matmul,
  type Operand,
  type Tensor,
  valueAndGrad,
  vjp,
} from "@smooth-topk/grad";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { smoothTopkLoss } from "@smooth-topk/loss/differentiable";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import ndarray from "ndarray";
import type { ProcessCase } from "./between-processes.ts";
import { type Contender, type Effort, interleave, summarise } from "./interleaved-timer.ts";
import { expectSame } from "./same-work.ts";
import { scoreBatch } from "./score-batch.ts";
import { families, seeded } from "./score-families.ts";
import { BATCH, CLASSES } from "./speed-loss.ts";

const THEIRS = "TensorFlow.js";
const dtypes: readonly Dtype[] = ["float64", "float32"];
/** Sums of up to a few thousand products of normal numbers in single precision, in another order. */
const TOLERANCE = 1e-4;

function values(size: number, seed: number): Float32Array {
  return Float32Array.from(families["normal, scale 1"](size, seeded(seed)));
}

function array(data: Float32Array, shape: readonly number[], dtype: Dtype): FloatArray {
  return ndarray(dtype === "float32" ? data : Float64Array.from(data), [...shape]);
}

/** Ours in both precisions and theirs, each giving all its results as flat arrays; checked to be the same, then timed. */
function timeAgainstTheirs(
  parameters: ProcessCase["parameters"],
  ours: (dtype: Dtype) => () => readonly ArrayLike<number>[],
  theirs: () => readonly ArrayLike<number>[],
  effort: Effort,
): ProcessCase {
  const expected = theirs();
  const contenders: Contender[] = [{ name: THEIRS, run: () => void theirs() }];
  for (const dtype of dtypes) {
    const run = ours(dtype);
    for (const [r, result] of run().entries()) expectSame(`${dtype}, result ${r}`, result, expected[r], TOLERANCE);
    contenders.push({ name: dtype, run: () => void run() });
  }
  return { parameters, timings: summarise(interleave(contenders, effort), THEIRS) };
}

/** Runs f, frees what it made and returns its results' values, which forces them. */
function forced(f: () => tf.Tensor[]): Float32Array[] {
  const tensors = tf.tidy(f);
  const data = tensors.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose(tensors);
  return data;
}

const flat = (x: Operand): ArrayLike<number> => (x as FloatArray).data;

/** A function of two arrays and its two cotangents, as our arrays. */
function withGradients(f: (a: Tensor, b: Tensor) => Tensor, a: FloatArray, b: FloatArray, g: FloatArray) {
  return (): FloatArray[] => {
    const { value, vjp: pull } = vjp(f, a, b);
    return [value as FloatArray, ...pull(g)];
  };
}

const PRODUCTS = [
  [64, 784, 128],
  [256, 256, 256],
  [512, 512, 512],
] as const;

/** Their plain CPU backend, without their checks of arguments. */
async function useTheirBackend(): Promise<void> {
  tf.enableProdMode();
  await tf.setBackend("cpu");
}

/** Products [m, k] [k, n], alone and with both cotangents. */
export async function speedOfProducts(effort: Effort): Promise<ProcessCase[]> {
  await useTheirBackend();
  return PRODUCTS.flatMap(([m, k, n]) => {
    const data = [values(m * k, 1), values(k * n, 2), values(m * n, 3)];
    const shapes = [[m, k], [k, n], [m, n]] as const; // prettier-ignore
    const [a, b, g] = data.map((part, i) => tf.tensor2d(part, [...shapes[i]]));
    const ours = (dtype: Dtype): FloatArray[] => data.map((part, i) => array(part, shapes[i], dtype));
    const size = `${m} x ${k} x ${n}`;
    const forward = timeAgainstTheirs(
      { size, pass: "forward" },
      (dtype) => {
        const [left, right] = ours(dtype);
        return () => [flat(matmul(left, right))];
      },
      () => forced(() => [tf.matMul(a, b)]),
      effort,
    );
    const both = timeAgainstTheirs(
      { size, pass: "forward and backward" },
      (dtype) => {
        const [left, right, cotangent] = ours(dtype);
        const run = withGradients(matmul, left, right, cotangent);
        return () => run().map(flat);
      },
      () => forced(() => [tf.matMul(a, b), tf.matMul(g, b, false, true), tf.matMul(a, g, true, false)]),
      effort,
    );
    tf.dispose([a, b, g]);
    return [forward, both];
  });
}

/** batch, channels, side of the image, outputs; kernels are 3 x 3, padding 1. */
const CONVOLUTIONS = [
  [4, 3, 32, 16],
  [4, 16, 16, 32],
  [4, 32, 8, 64],
] as const;

type Shape4 = [number, number, number, number];

/** Moves the channels of an image last, as TensorFlow.js has them: [b, c, i, j] to [b, i, j, c]. */
const CHANNELS_LAST = [0, 2, 3, 1];
/** Kernels [o, c, r, s] to [r, s, c, o]. */
const KERNEL = [2, 3, 1, 0];

function moved(data: Float32Array, shape: Shape4, axes: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => tf.transpose(tf.tensor4d(data, shape), [...axes]));
}

/** The same back, so that results can be compared. */
function movedBack(x: FloatArray, axes: readonly number[]): ArrayLike<number> {
  const tensor = tf.tidy(() => tf.transpose(tf.tensor(Float32Array.from(x.data), x.shape), [...axes]));
  const data = tensor.dataSync();
  tensor.dispose();
  return data;
}

/** Convolutions, alone and with both cotangents. */
export async function speedOfConvolutions(effort: Effort): Promise<ProcessCase[]> {
  await useTheirBackend();
  return CONVOLUTIONS.flatMap(([batch, channels, side, outputs]) => {
    const shapes: Shape4[] = [
      [batch, channels, side, side],
      [outputs, channels, 3, 3],
      [batch, outputs, side, side],
    ];
    const data = shapes.map((shape, i) => values(shape.reduce((size, extent) => size * extent, 1), i + 1)); // prettier-ignore
    const axes = [CHANNELS_LAST, KERNEL, CHANNELS_LAST];
    const [x, w, g] = data.map((part, i) => moved(part, shapes[i], axes[i]));
    const ours = (dtype: Dtype): FloatArray[] => data.map((part, i) => array(part, shapes[i], dtype));
    const convolve = (a: Tensor, b: Tensor): Tensor => conv2d(a, b, { padding: 1 });
    const attributes = { strides: 1, pad: "same", dataFormat: "NHWC" };
    const engine = tf.engine();
    const backward = (): tf.Tensor[] => [
      tf.conv2d(x, w, 1, "same"),
      engine.runKernel<tf.Tensor>("Conv2DBackpropInput", { dy: g, filter: w }, { ...attributes, inputShape: x.shape }),
      engine.runKernel<tf.Tensor>("Conv2DBackpropFilter", { x, dy: g }, { ...attributes, filterShape: w.shape }),
    ];
    const size = `${batch} x ${channels} x ${side} x ${side} to ${outputs}`;
    // The layouts differ: results are compared once, and only computed when timed.
    const [image, kernel, cotangent] = ours("float64");
    const found = withGradients(convolve, image, kernel, cotangent)();
    for (const [r, expected] of forced(backward).entries()) {
      expectSame(`convolution, result ${r}`, movedBack(found[r], axes[[2, 0, 1][r]]), expected, TOLERANCE);
    }
    const nothing: readonly ArrayLike<number>[] = [];
    const forward = timeAgainstTheirs(
      { size, pass: "forward" },
      (dtype) => {
        const [a, b] = ours(dtype);
        return () => (convolve(a, b), nothing);
      },
      () => (forced(() => [tf.conv2d(x, w, 1, "same")]), nothing),
      effort,
    );
    const both = timeAgainstTheirs(
      { size, pass: "forward and backward" },
      (dtype) => {
        const [a, b, c] = ours(dtype);
        const run = withGradients(convolve, a, b, c);
        return () => (run(), nothing);
      },
      () => (forced(backward), nothing),
      effort,
    );
    tf.dispose([x, w, g]);
    return [forward, both];
  });
}

/** The fused loss on the tape: what it costs beyond the fused call itself. */
export function speedOfTape(effort: Effort): ProcessCase[] {
  return dtypes.map((dtype) => {
    const { scores, labels } = scoreBatch(BATCH, CLASSES, dtype);
    const options = { k: 5 };
    const taped = valueAndGrad((x: Tensor) => smoothTopkLoss(x, labels, options));
    const direct = smoothTopkLossValueAndGrad(scores, labels, options);
    const throughTape = taped(scores);
    expectSame("gradient through the tape", throughTape.grad.data, direct.grad.data, 0);
    const contenders = [
      { name: "fused call", run: () => void smoothTopkLossValueAndGrad(scores, labels, options) },
      { name: "through the tape", run: () => void taped(scores) },
    ];
    return { parameters: { dtype }, timings: summarise(interleave(contenders, effort), "fused call") };
  });
}

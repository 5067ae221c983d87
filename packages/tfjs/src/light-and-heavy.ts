/**
 * The loss of rows with many classes: the largest scores are multiplied as polynomials, the others enter by power sums.
 *
 * The list of a row holds its J largest scores, J the power of two above 3 k. Those above the smallest of the list are heavy;
 * every other class is light, and e sigma_{k-1} / sigma_k is at most k / (J - k) <= 1/2 for it: at least J - 1 of the others are as large,
 * and k sigma_k >= sigma_{k-1} S with S the sum of all e but the k - 1 largest. So the shape alone says how many power sums
 * are enough, and nothing branches on the scores.
 *
 * Relative to the centre c, the k-th largest of the others, and tilted by lambda = k / S: sigma_k lambda^k is then no
 * smaller than any lower order, and within e^k of the largest. Single precision carries that to k = 80.
 */
import {
  add,
  cast,
  clipByValue,
  concat,
  div,
  equal,
  exp,
  greater,
  log,
  maximum,
  mul,
  neg,
  pad,
  relu,
  reshape,
  reverse,
  sigmoid,
  slice,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tensor1d,
  topk,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { lightProduct, powerSumsFor } from "./light-product.ts";
import { lossOfMargin, type MarginOptions } from "./margin.ts";
import { leaveOneOut, multiply, productTree } from "./polynomial-tree.ts";
import { labelScores, MASKED, type RowMethod, type RowLoss, type Rows } from "./row-loss.ts";
import { setEntries } from "./set-entries.ts";

/** The largest k for which coefficients stay within single precision. */
export const LARGEST_K = 80;

/** Length of the list of a row: a power of two, for the tree. */
export function listLength(k: number): number {
  return 2 ** Math.ceil(Math.log2(3 * k + 1));
}

function sumsFor(k: number): number {
  return powerSumsFor(k, k / (listLength(k) - k));
}

/** x, x^2, ..., x^count: squares where they will do, which are cheaper than products. */
function powers(x: Tensor, count: number): Tensor[] {
  const all = [x];
  for (let q = 2; q <= count; q++) all.push(q % 2 === 0 ? square(all[q / 2 - 1]) : mul(all[q - 2], x));
  return all;
}

function powerSums(x: Tensor, count: number): Tensor {
  return concat(
    powers(x, count).map((power) => sum(power, 1, true)),
    1,
  );
}

function forward({ scores, labels }: Rows, options: MarginOptions): RowLoss {
  const { k, tau } = options;
  const batch = scores.shape[0];
  const length = listLength(k);
  const count = sumsFor(k);
  const cooling = -1 / (k * tau);
  const column = (rows: Tensor, at: number): Tensor => slice(rows, [0, at], [batch, 1]);

  const { values: top, indices } = topk(scores, length);
  const label = reshape(labels, [batch, 1]);
  const isLabel = cast(equal(indices, label), "float32");
  const smallest = column(top, length - 1);
  const heavy = mul(cast(greater(top, smallest), "float32"), sub(1, isLabel));
  const labelAmongFirst = greater(sum(slice(isLabel, [0, 0], [batch, k]), 1, true), 0);
  const kth = where(labelAmongFirst, column(top, k), column(top, k - 1));
  const centre = maximum(kth, MASKED);
  const threshold = maximum(smallest, MASKED);
  const list = maximum(top, MASKED);
  const labelScore = reshape(labelScores({ scores, labels }), [batch, 1]);

  // Light classes relative to the threshold: heavy ones count 1 each, and so does a heavy label.
  const light = (from: Tensor): Tensor => exp(mul(relu(sub(threshold, from)), cooling));
  const lightScores = light(scores);
  const counted = add(sum(heavy, 1, true), concat(powers(light(labelScore), count), 1));
  const sums = relu(sub(powerSums(lightScores, count), counted));

  const lightScale = exp(mul(sub(centre, threshold), cooling));
  const upToCentre = mul(exp(mul(relu(sub(centre, list)), cooling)), heavy);
  const all = maximum(add(sub(sum(upToCentre, 1, true), k - 1), mul(lightScale, column(sums, 0))), 1);
  const tilt = div(k, all);
  const scalePowers = concat(powers(mul(tilt, lightScale), count), 1);
  const lightPart = lightProduct(mul(sums, scalePowers), k);

  const logit = clipByValue(add(mul(sub(centre, list), cooling), log(tilt)), -87, 87);
  const linear = mul(sigmoid(logit), heavy);
  const constant = add(mul(sigmoid(neg(logit)), heavy), sub(1, heavy));
  const tree = productTree(stack([constant, linear], 2), k);
  const root = tree.at(-1) as Tensor;
  const product = multiply(reshape(root, [batch, root.shape[2] as number]), lightPart, k);

  const ratio = mul(div(column(product, k), column(product, k - 1)), div(all, k));
  const isThere = greater(kth, MASKED / 2);
  const { loss, weight } = lossOfMargin(
    reshape(where(isThere, ratio, 1), [batch]),
    reshape(centre, [batch]),
    reshape(labelScore, [batch]),
    options,
  );
  const there = reshape(isThere, [batch]);
  const step = reshape(where(there, mul(weight, 1 / k), zerosLike(weight)), [batch, 1]);
  return {
    loss: where(there, loss, zerosLike(loss)),
    kept: [lightScores, scalePowers, lightPart, product, step, indices, isLabel, heavy, mul(constant, linear), ...tree],
  };
}

function gradient({ labels }: Rows, kept: readonly Tensor[], { k }: MarginOptions): Tensor {
  const [lightScores, scalePowers, lightPart, product, step, indices, isLabel, heavy, spread, ...tree] = kept;
  const batch = lightScores.shape[0];
  const count = scalePowers.shape[1] as number;
  const column = (rows: Tensor, at: number): Tensor => slice(rows, [0, at], [batch, 1]);
  const pk = column(product, k);
  const pk1 = column(product, k - 1);
  const there = greater(step, 0);
  const guarded = (values: Tensor): Tensor => where(there, values, zerosLike(values));

  // d (log sigma_k - log sigma_{k-1}) / d x = e sum_l (-e)^l (P_{k-1-l} / P_k - P_{k-2-l} / P_{k-1}); no term is negative.
  const downFrom = (order: number): Tensor => {
    const first = Math.max(0, order - count + 1);
    const held = order < first ? 0 : order - first + 1;
    if (held === 0) return zerosLike(slice(product, [0, 0], [batch, count]));
    const orders = reverse(slice(product, [0, first], [batch, held]), 1);
    return held === count
      ? orders
      : pad(orders, [
          [0, 0],
          [0, count - held],
        ]);
  };
  const signs = tensor1d(Float32Array.from({ length: count }, (_, l) => (l % 2 === 0 ? 1 : -1)));
  const brackets = sub(div(downFrom(k - 1), pk), div(downFrom(k - 2), pk1));
  const polynomial = guarded(mul(mul(mul(brackets, signs), scalePowers), step));
  let horner = column(polynomial, count - 1);
  for (let l = count - 2; l >= 0; l--) horner = add(mul(lightScores, horner), column(polynomial, l));
  const atLight = mul(lightScores, horner);

  const others = leaveOneOut(tree, lightPart, k);
  const order = (below: number): Tensor => {
    const at = (others.shape[2] as number) - 1 - below;
    return reshape(slice(others, [0, 0, at], [batch, -1, 1]), [batch, -1]);
  };
  const own = mul(div(order(1), pk), div(order(1), pk1));
  const bracket = k === 1 ? own : sub(own, mul(div(order(2), pk1), div(order(0), pk)));
  const atHeavy = guarded(mul(mul(spread, bracket), step));

  // The rest of the list ties with the threshold, where every power is 1.
  const atThreshold = sum(polynomial, 1, true);
  const atLabel = neg(step);
  const light = sub(sub(1, heavy), isLabel);
  const inList = add(add(mul(atHeavy, heavy), mul(atThreshold, light)), mul(atLabel, isLabel));
  const label = reshape(labels, [batch, 1]);
  return setEntries(
    atLight,
    concat([indices, label], 1),
    concat([inList, atLabel], 1),
    concat([isLabel, zerosLike(atLabel)], 1),
  );
}

/** See above. Shapes: n at least twice the list, k at most 80. */
export const lightAndHeavy: RowMethod = { forward, gradient };

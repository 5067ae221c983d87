/**
 * log sigma_0..log sigma_k of exp(x) from elementary primitives only: the paper's tree of products whose coefficients are
 * logarithms, each a log-sum-exp. Its derivatives come from the rules of those primitives and know nothing of esym.
 */
import { add, concatenate, logSumExp, type Operand, reshape, slice, type Tensor } from "../src/index.ts";

/** @param x  shape [n], finite. @returns log coefficients, shape [min(k, n) + 1]. */
export function composedLogEsp(x: Tensor, k: number): Tensor {
  const [n] = x.shape;
  let level: Operand[] = Array.from({ length: n }, (_, i) => pairOf(slice(x, [i], [i + 1])));
  while (level.length > 1) {
    const next: Operand[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(product(level[i] as Tensor, level[i + 1] as Tensor, k));
    if (level.length % 2 === 1) next.push(level[level.length - 1]);
    level = next;
  }
  return slice(level[0], [0], [Math.min(k, n) + 1]);
}

/** log of 1 + exp(x) X: coefficients 0 and x. */
function pairOf(x: Tensor): Tensor {
  return concatenate([reshape(0, [1]), x], 0);
}

function product(a: Tensor, b: Tensor, k: number): Tensor {
  const [sizeA, sizeB] = [a.shape[0], b.shape[0]];
  const degree = Math.min(k, sizeA + sizeB - 2);
  const coefficients = Array.from({ length: degree + 1 }, (_, j) => {
    const terms: Tensor[] = [];
    for (let l = Math.max(0, j - sizeB + 1); l <= Math.min(j, sizeA - 1); l++) {
      terms.push(add(slice(a, [l], [l + 1]), slice(b, [j - l], [j - l + 1])));
    }
    return reshape(logSumExp(concatenate(terms, 0)), [1]);
  });
  return concatenate(coefficients, 0);
}

/**
 * The product of many factors 1 + e X with small e, from power sums alone.
 */
import { concat, mul, ones, slice, sum, type Tensor, tensor1d } from "@tensorflow/tfjs-core";

/**
 * How many power sums the product needs up to order k where every e sigma_{k-1} / sigma_k is at most theta: the dropped terms
 * are below k theta^M / (M + 1) of the result, here at most a quarter of u = 2^-24. With all k sums nothing is dropped.
 */
export function powerSumsFor(k: number, theta: number): number {
  for (let m = 1; m < k; m++) if ((k * theta ** m) / (m + 1) <= 2 ** -26) return m;
  return k;
}

/**
 * Coefficients 0 to k of prod (1 + e_i X) by Newton's identities, j c_j = p_1 c_{j-1} - p_2 c_{j-2} + ...
 *
 * @param sums  power sums p_1 to p_M of the e of each row, shape [batch, M].
 * @returns shape [batch, k + 1].
 *
 * The terms alternate, and cancel where an e is large. With e sigma_{k-1} / sigma_k below 1/2 the errors add up along j and are
 * not amplified.
 */
export function lightProduct(sums: Tensor, k: number): Tensor {
  const [batch, count] = sums.shape as [number, number];
  const signs = Float32Array.from({ length: count }, (_, i) => ((count - i) % 2 === 1 ? 1 : -1));
  // p_M, ..., p_1 with their signs, so that the last j of them meet the last j coefficients.
  const backwards = mul(reversed(sums), tensor1d(signs));
  let coefficients: Tensor = ones([batch, 1]);
  for (let j = 1; j <= k; j++) {
    const terms = Math.min(j, count);
    const product = mul(
      slice(backwards, [0, count - terms], [batch, terms]),
      slice(coefficients, [0, j - terms], [batch, terms]),
    );
    coefficients = concat([coefficients, mul(sum(product, 1, true), 1 / j)], 1);
  }
  return coefficients;
}

function reversed(rows: Tensor): Tensor {
  const [batch, count] = rows.shape as [number, number];
  return count === 1
    ? rows
    : concat(
        Array.from({ length: count }, (_, i) => slice(rows, [0, count - 1 - i], [batch, 1])),
        1,
      );
}

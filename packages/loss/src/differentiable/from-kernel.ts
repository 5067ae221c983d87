/**
 * Functions of scores with two sources: the value and the first derivative from a kernel in one pass, the derivatives
 * beyond from the same function composed of primitives.
 */
import { defineVjp, mul, type Operand, reshape, type Tensor, Traced, vjp } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";

/** What a kernel finds of a function f of scores. */
export interface Found {
  /** f, of shape [] or [m]. */
  readonly value: NdArray;
  /** The shape of the scores: df of a scalar; row b is d f_b / d row b where f has an entry for each row. */
  readonly slopes: NdArray | null;
}

/**
 * @param name      names the function in error messages.
 * @param kernel    computes f, and its slopes if they are wanted.
 * @param composed  f again, of primitives. Entry b of an f of shape [m] depends on row b of the scores only.
 * @returns f as a differentiable function.
 */
export function fromKernel(
  name: string,
  kernel: (scores: NdArray, wantSlopes: boolean) => Found,
  composed: (scores: Tensor) => Tensor,
): (scores: Tensor) => Tensor {
  return (scores) => {
    // Outside of gradients nobody asks for slopes.
    const wantSlopes = scores instanceof Traced;
    let known: NdArray | null = null;
    const slopes = defineVjp<[Operand]>({
      name,
      forward: (s) => known ?? (kernel(s as NdArray, true).slopes as NdArray),
      // As rows do not mix, the slopes are the gradient of sum_b f_b, and their Jacobian is symmetric.
      vjps: { scores: (h, _answer, s) => vjp(gradientOf(composed), s as Tensor).vjp(h)[0] },
    });
    return defineVjp<[Operand]>({
      name,
      forward: (s) => {
        const found = kernel(s as NdArray, wantSlopes);
        known = found.slopes;
        return found.value;
      },
      vjps: { scores: (g, _answer, s) => mul(perRow(g, s as Tensor), slopes(s)) },
    })(scores);
  };
}

function gradientOf(f: (scores: Tensor) => Tensor): (scores: Tensor) => Tensor {
  return (scores) => {
    const { value, vjp: pull } = vjp(f, scores);
    const { shape } = value;
    return pull(ndarray(new Float64Array(shape[0] ?? 1).fill(1), shape))[0];
  };
}

/** One cotangent for each row, or one for all. */
function perRow(cotangent: Tensor, scores: Tensor): Tensor {
  const { shape } = cotangent;
  return shape.length === 1 && scores.shape.length === 2 ? reshape(cotangent, [shape[0], 1]) : cotangent;
}

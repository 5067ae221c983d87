/**
 * The differentiable losses and their gradients keep the accuracy contract: composed and fused, judged by the oracle, so
 * they agree with the functions of the package within twice that.
 */
import { errorInU } from "@smooth-topk/conformance";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { type Tensor, valueAndGrad } from "@smooth-topk/grad";
import * as fc from "fast-check";
import ndarray from "ndarray";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectEntries } from "../../testing/expect-entries.ts";
import { extremeInstance } from "../../testing/extreme-instances.ts";
import { kthOther, U } from "../../testing/instances.ts";
import { composedCrossEntropy } from "./composed/cross-entropy.ts";
import { composedSmoothTopkLoss } from "./composed/smooth-topk-loss.ts";
import { composedTopkLoss } from "./composed/topk-loss.ts";
import { crossEntropy, smoothTopkLoss, topkLoss } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

const forms = [
  { form: "composed", smooth: composedSmoothTopkLoss, hard: composedTopkLoss, entropy: composedCrossEntropy },
  { form: "fused", smooth: smoothTopkLoss, hard: topkLoss, entropy: crossEntropy },
];

/** Value and gradient in the scores of one sample. */
function differentiated(
  f: (scores: Tensor) => Tensor,
  s: readonly number[],
): { value: number; grad: ArrayLike<number> } {
  const { value, grad } = valueAndGrad(f)(ndarray(Float64Array.from(s), [s.length]));
  return { value, grad: grad.data };
}

/** Subnormal losses are outside the contract. */
function expectLoss(actual: number, expected: number, bound: number): void {
  if (expected >= 1e-300 || expected === 0) expect(errorInU(actual, expected)).toBeLessThanOrEqual(bound);
}

describe.each(forms)("$form", ({ form, smooth, hard, entropy }) => {
  // The roundings of a composed value: the ratio 4 u, the rest of its logarithm 3 u, softplus 3 u, the rest's term 1 u, the
  // sum and tau 2 u. z itself is rounded by nothing that `rest` does not make up for, so nothing grows with |z|. That they
  // are all at their worst and of one sign, which would pass the contract near z = 0, does not happen. The slopes are the
  // kernel's, right to 16 k + 8 u, and factors of 8 u come to them.
  it("the smooth loss is right to 13 u, to (8 + |z|) u too, and its gradient to 16 k + 16 u", () => {
    fc.assert(
      fc.property(extremeInstance, ({ s, y, k, tau, alpha }) => {
        const { value, grad } = differentiated((scores) => smooth(scores, y, { k, tau, alpha }), s);
        const exact = oracle.smoothTopkLoss(s, y, { k, tau, alpha });
        expectLoss(value, exact.loss, Math.min(13, 8 + Math.abs(exact.z)));
        expectEntries(grad, exact.grad, 16 * k + 16);
      }),
      { numRuns: 200 },
    );
  });

  it("the cross-entropy is right to 13 u, to (8 + |z|) u too, and its gradient to 32 u", () => {
    fc.assert(
      fc.property(extremeInstance, ({ s, y }) => {
        const { value, grad } = differentiated((scores) => entropy(scores, y), s);
        const exact = oracle.smoothTopkLoss(s, y, { k: 1, tau: 1, alpha: 0 });
        expectLoss(value, exact.loss, Math.min(13, 8 + Math.abs(exact.z)));
        expectEntries(grad, exact.grad, 32);
      }),
    );
  });

  // Composed, alpha k, a difference of scores, a sum and two quotients are rounded: 4 u of what they are made of. So near
  // the kink the composed form may stand on the other side of it.
  it("the hard loss is right to 4 u of the sizes that it subtracts, with the same subgradient", () => {
    fc.assert(
      fc.property(extremeInstance, (c) => {
        const { s, y, k, alpha } = c;
        const { value, grad } = differentiated((scores) => hard(scores, y, { k, alpha }), s);
        const exact = oracle.topkLoss(s, y, { k, alpha });
        const kth = kthOther(c);
        const bound = 4 * U * (Math.abs(alpha) + (kth === -Infinity ? 0 : Math.abs(kth) + Math.abs(s[y])) / k);
        expect(Math.abs(value - exact.loss)).toBeLessThanOrEqual(bound);
        if (form === "fused" || exact.loss > bound || (exact.loss === 0 && value === 0))
          expectEntries(grad, exact.grad, 3);
      }),
    );
  });
});

/** The rectifier. */
import { mul } from "./arithmetic.ts";
import { map, type UnaryRow } from "./elementwise.ts";
import { defineVjp, type Operand, type Tensor, unwrap } from "../core/tape.ts";

const reluRow: UnaryRow = (out, o, x, a, s, n) => {
  for (let i = 0; i < n; i++, a += s) out[o + i] = x[a] < 0 ? 0 : x[a];
};
const stepRow: UnaryRow = (out, o, x, a, s, n) => {
  for (let i = 0; i < n; i++, a += s) out[o + i] = x[a] > 0 ? 1 : x[a] <= 0 ? 0 : NaN;
};

/** max(0, x), element by element; its derivative at 0 is taken to be 0, and at NaN is NaN. */
export const relu: (x: Operand) => Tensor = defineVjp<[Operand]>({
  name: "relu",
  forward: (x) => map(x, reluRow),
  // d max(0, x) = [x > 0] dx
  vjps: { x: (g, _answer, x) => mul(g, map(unwrap(x), stepRow)) },
});

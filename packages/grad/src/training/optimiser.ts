/**
 * Optimisers: pure functions from parameters, gradients and a state to new parameters and a new state, on trees.
 */
import { allocate, dtypeOf, flat, type FloatArray, type Floats, isNdArray, show, wrap } from "../arrays/layout.ts";
import { type Operand, unwrap } from "../core/tape.ts";
import { leavesOf, withLeaves } from "../core/tree.ts";

export interface OptimiserState {
  readonly step: number;
  /** For each leaf, in order, the arrays that the method carries from step to step. */
  readonly slots: readonly (readonly Float64Array[])[];
}

/** What {@link Optimiser.update} returns. */
export interface Step<P> {
  readonly params: P;
  readonly state: OptimiserState;
}

export interface Optimiser {
  /** @param params  arrays and numbers, or plain objects and lists of those. */
  readonly init: (params: unknown) => OptimiserState;
  /**
   * One step; nothing passed in is changed.
   *
   * @param grads         a tree like params, in which traced values have no place.
   * @param learningRate  of this step, in place of the one given at the start.
   * @throws RangeError if grads has not the structure or a shape of params.
   */
  readonly update: <P>(params: P, grads: P, state: OptimiserState, learningRate?: number) => Step<P>;
}

/** out = parameters after a step; `slots` are this leaf's, fresh copies that are written to. */
export type LeafStep = (out: Floats, p: Floats, g: Floats, slots: Float64Array[], step: number, rate: number) => void;

export function optimiser(name: string, slotCount: number, defaultRate: number, leafStep: LeafStep): Optimiser {
  const arrays = (what: string, tree: unknown): { array: FloatArray; path: string }[] =>
    leavesOf(name, tree).map(({ leaf, path }) => ({ array: arrayOf(name, `${what}${path}`, leaf), path }));
  return {
    init: (params) => ({
      step: 0,
      slots: arrays("params", params).map(({ array }) =>
        Array.from({ length: slotCount }, () => new Float64Array(flat(array).length)),
      ),
    }),
    update: <P>(params: P, grads: P, state: OptimiserState, learningRate: number = defaultRate): Step<P> => {
      const before = arrays("params", params);
      const slopes = arrays("grads", grads);
      const step = state.step + 1;
      const slots = state.slots.map((ofLeaf) => ofLeaf.map((slot) => slot.slice()));
      const after = before.map(({ array, path }, i) => {
        const slope = slopes[i];
        if (slope?.path !== path || show(slope.array.shape) !== show(array.shape)) {
          const found =
            slope === undefined ? "is missing" : `has grads${slope.path} of shape ${show(slope.array.shape)}`;
          throw new RangeError(`${name}: grads ${found} where params${path} has shape ${show(array.shape)}`);
        }
        const p = flat(array);
        const out = allocate(dtypeOf(array), p.length);
        leafStep(out, p, flat(slope.array), slots[i], step, learningRate);
        return wrap(out, array.shape);
      });
      const leaves = leavesOf(name, params).map(({ leaf }, i) =>
        typeof leaf === "number" ? after[i].data[0] : after[i],
      );
      return { params: withLeaves(params, leaves) as P, state: { step, slots } };
    },
  };
}

function arrayOf(name: string, path: string, leaf: Operand): FloatArray {
  const inner = unwrap(leaf);
  if (typeof inner === "number") return wrap(Float64Array.of(inner), []);
  if (!isNdArray(leaf)) throw new TypeError(`${name}: ${path} is a traced value, expected an ndarray or a number`);
  return inner;
}

/** @throws RangeError unless lowest <= value < below. */
export function checkSetting(
  name: string,
  setting: string,
  value: number,
  lowest: number,
  below: number = Infinity,
): void {
  if (!(value >= lowest && value < below)) {
    throw new RangeError(`${name}: ${setting} is ${value}, expected a number in [${lowest}, ${below})`);
  }
}

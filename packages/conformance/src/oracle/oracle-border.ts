/**
 * Checks of the oracle's arguments. Messages name the function, the argument, the index, the value and what was
 * expected, as do those of the packages that the oracle judges.
 */

/** The selected entries' indices: all of them without a selection. */
export function selection(caller: string, select: ArrayLike<number> | undefined, n: number): Int32Array {
  if (select === undefined) return Int32Array.from({ length: n }, (_, i) => i);
  return Int32Array.from(select, (index, i) => {
    if (!Number.isInteger(index) || index < 0 || index >= n) {
      throw new RangeError(`${caller}: select[${i}] is ${index}, expected an integer in [0, ${n - 1}]`);
    }
    return index;
  });
}

/** Refuses NaN and +Infinity. */
export function checkLogValues(caller: string, argument: string, x: ArrayLike<number>): void {
  for (let i = 0; i < x.length; i++) {
    if (typeof x[i] !== "number" || !(x[i] < Infinity)) {
      throw new RangeError(`${caller}: ${argument}[${i}] is ${x[i]}, expected a finite number or -Infinity`);
    }
  }
}

export function checkFinite(caller: string, argument: string, v: ArrayLike<number>, length: number): void {
  if (v.length !== length) {
    throw new RangeError(`${caller}: ${argument} has length ${v.length}, expected ${length}`);
  }
  for (let i = 0; i < v.length; i++) {
    if (!Number.isFinite(v[i])) {
      throw new RangeError(`${caller}: ${argument}[${i}] is ${v[i]}, expected a finite number`);
    }
  }
}

/** Refuses a k that is not an integer in [lowest, highest]; `highest` in words is `n` or `n - 1`. */
export function checkOrder(caller: string, k: number, lowest: number, n: number, highest: "n" | "n - 1"): void {
  if (!Number.isInteger(k)) throw new RangeError(`${caller}: k must be an integer: got k = ${k}`);
  if (k < lowest) throw new RangeError(`${caller}: k must be at least ${lowest}: got k = ${k}`);
  if (k > (highest === "n" ? n : n - 1)) {
    throw new RangeError(`${caller}: k must be at most ${highest}: got k = ${k}, n = ${n}`);
  }
}

/** Refuses a label that is no class or whose class is masked. */
export function checkLabel(caller: string, scores: ArrayLike<number>, label: number): void {
  if (!Number.isInteger(label) || label < 0 || label >= scores.length) {
    throw new RangeError(`${caller}: label is ${label}, expected an integer in [0, ${scores.length - 1}]`);
  }
  if (scores[label] === -Infinity) {
    throw new RangeError(`${caller}: label is ${label}, but scores[${label}] is -Infinity: that class is masked`);
  }
}

export function checkTemperature(caller: string, tau: number): void {
  if (!(tau > 0 && tau < Infinity))
    throw new RangeError(`${caller}: tau must be a finite number > 0: got tau = ${tau}`);
}

export function checkMargin(caller: string, alpha: number): void {
  if (!Number.isFinite(alpha)) throw new RangeError(`${caller}: alpha must be a finite number: got alpha = ${alpha}`);
}

/** Sums, products and quotients as unevaluated pairs of doubles (Dekker, Knuth): enough for arguments of exp. */
export type Pair = readonly [high: number, low: number];

export function sum(a: number, b: number): Pair {
  const s = a + b;
  const bb = s - a;
  return [s, a - (s - bb) + (b - bb)];
}

function split(a: number): Pair {
  const c = 134217729 * a;
  const high = c - (c - a);
  return [high, a - high];
}

export function product(a: number, b: number): Pair {
  const p = a * b;
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  return [p, ah * bh - p + ah * bl + al * bh + al * bl];
}

export function add(a: Pair, b: Pair): Pair {
  const [s, e] = sum(a[0], b[0]);
  return sum(s, e + a[1] + b[1]);
}

export function quotient(a: Pair, b: Pair): Pair {
  const q = a[0] / b[0];
  const [p, e] = product(q, b[0]);
  return sum(q, (a[0] - p - e + a[1] - q * b[1]) / b[0]);
}

/** e^(a + low), the low part to first order. */
export function exponential([high, low]: Pair): number {
  return Number.isFinite(low) ? Math.exp(high) * (1 + low) : Math.exp(high);
}

export function times([ah, al]: Pair, [bh, bl]: Pair): Pair {
  return add(product(ah, bh), [ah * bl + al * bh, 0]);
}

/** log 2 less the double nearest to it. */
const LN2_LOW = 2.3190468138462996e-17;
const HALVINGS = 8;

/** e^x with both parts, 0 where it underflows: e^(x - m log 2) - 1 at 1/256 of the argument by its series, doubled eight times. */
export function preciseExponential(x: Pair): Pair {
  if (!(x[0] > -745)) return [0, 0];
  const m = Math.round(x[0] / Math.LN2);
  const rest = add(add(x, product(-m, Math.LN2)), [-m * LN2_LOW, 0]);
  const r: Pair = [rest[0] / 2 ** HALVINGS, rest[1] / 2 ** HALVINGS];
  let series: Pair = [0, 0];
  for (let i = 10; i >= 1; i--) series = times(quotient(r, [i, 0]), add([1, 0], series));
  for (let i = 0; i < HALVINGS; i++) series = times(series, add([2, 0], series));
  const [high, low] = add([1, 0], series);
  return [high * 2 ** m, low * 2 ** m];
}

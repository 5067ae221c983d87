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

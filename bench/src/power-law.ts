/**
 * The exponent of a power law: the slope of the least-squares line through (log x, log y).
 */
export function fittedExponent(x: readonly number[], y: readonly number[]): number {
  const u = x.map((v) => Math.log(v));
  const w = y.map((v) => Math.log(v));
  const uMean = u.reduce((s, v) => s + v, 0) / u.length;
  const wMean = w.reduce((s, v) => s + v, 0) / w.length;
  let covariance = 0;
  let variance = 0;
  for (let i = 0; i < u.length; i++) {
    covariance += (u[i] - uMean) * (w[i] - wMean);
    variance += (u[i] - uMean) ** 2;
  }
  return covariance / variance;
}

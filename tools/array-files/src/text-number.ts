/**
 * Numbers as tables of text write them.
 */

/** Text as a number; "inf" and "-Infinity" are read so that a bad value is refused by name, not as text. */
export function toNumber(text: string): number | null {
  const value = Number(text);
  // What JavaScript reads besides: nothing as 0, and 0x10, 0b1, 0o7.
  if (value - value === 0 && text !== "" && !/[xXoObB]/.test(text)) return value;
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  const named = /^([-+]?)(inf|infinity|nan)$/i.exec(text);
  if (named === null) return null;
  return named[2].toLowerCase() === "nan" ? NaN : named[1] === "-" ? -Infinity : Infinity;
}

/** What stands for a number that is missing. */
export function isMissing(text: string): boolean {
  return /^(|n\/?a|<na>|null|none|\?|-)$/i.test(text);
}

import { BadInput } from "@smooth-topk/array-files";

export interface Range {
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly integer?: boolean;
}

/** Reads one number given to a flag, in a range. */
export function numberIn(flag: string, range: Range): (text: string) => number {
  const { atLeast = -Infinity, above = -Infinity, atMost = Infinity, integer = false } = range;
  const bounds = [
    ...(range.atLeast === undefined ? [] : [`>= ${atLeast}`]),
    ...(range.above === undefined ? [] : [`> ${above}`]),
    ...(range.atMost === undefined ? [] : [`<= ${atMost}`]),
  ].join(" and ");
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    const isKind = integer ? Number.isSafeInteger(value) : Number.isFinite(value);
    if (!isKind || value < atLeast || value <= above || value > atMost) {
      throw new BadInput(`${flag}: ${JSON.stringify(text)}, expected ${integer ? "an integer" : "a number"} ${bounds}`);
    }
    return value;
  };
}

/** Reads numbers between commas, each once. */
export function numbersIn(flag: string, range: Range): (text: string) => number[] {
  const read = numberIn(flag, range);
  return (text) => [...new Set(text.split(",").map(read))];
}

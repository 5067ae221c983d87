import { BadInput } from "@smooth-topk/array-files";

/** Reads the number given to a flag. */
export function numeric(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isNaN(value)) throw new BadInput(`${flag}: ${JSON.stringify(text)} is not a number`);
    return value;
  };
}

/** Reads the integer given to a flag. */
export function integer(flag: string, atLeast: number = -Infinity): (text: string) => number {
  const read = numeric(flag);
  return (text) => {
    const value = read(text);
    if (Number.isSafeInteger(value) && value >= atLeast) return value;
    throw new BadInput(`${flag}: ${text}, expected an integer${atLeast === -Infinity ? "" : ` >= ${atLeast}`}`);
  };
}

/** Reads numbers between commas, each once. */
export function numericList(flag: string): (text: string) => number[] {
  const read = numeric(flag);
  return (text) => [...new Set(text.split(",").map(read))];
}

/** Reads the answer given to a flag. */
export function yesOrNo(flag: string): (text: string) => boolean {
  return (text) => {
    if (text !== "yes" && text !== "no") throw new BadInput(`${flag}: ${JSON.stringify(text)}, expected yes or no`);
    return text === "yes";
  };
}

import { BadInput } from "@smooth-topk/array-files";

/** Reads the number given to a flag. */
export function numeric(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isNaN(value)) throw new BadInput(`${flag}: ${JSON.stringify(text)} is not a number`);
    return value;
  };
}

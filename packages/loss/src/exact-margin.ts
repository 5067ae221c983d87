/**
 * k alpha + c - s_y, k times the margin by which score c is ahead of the label's: its terms may cancel, so it is kept to
 * twice the working precision. Near the largest double it is kept in units of 2^64, because differences overflow there.
 */
import { add, divide, type DoubleDouble, twoProduct, twoSum } from "@smooth-topk/esym/kernel";

const LARGE = 2 ** 900;

export interface Margin {
  /** The margin in units of `unit`. */
  readonly value: DoubleDouble;
  /** 1 or 2^64. */
  readonly unit: number;
}

export function exactMargin(k: number, alpha: number, c: number, labelScore: number): Margin {
  const unit = Math.max(k * Math.abs(alpha), Math.abs(c), Math.abs(labelScore)) < LARGE ? 1 : 2 ** 64;
  const value = add(twoProduct(k, alpha / unit), twoSum(c / unit, -labelScore / unit));
  return { value, unit };
}

/** The margin divided by a positive number; infinite where the quotient is beyond the doubles. */
export function marginOver({ value, unit }: Margin, divisor: DoubleDouble): DoubleDouble {
  const [hi, lo] = divide(value, divisor);
  return [hi * unit, lo * unit];
}

/**
 * k alpha + c - s_y, k times the margin by which score c is ahead of the label's: its terms may cancel, so it is kept to
 * twice the working precision.
 */
import { add, type DoubleDouble, twoProduct, twoSum } from "@smooth-topk/esym/kernel";

export function exactMargin(k: number, alpha: number, c: number, labelScore: number): DoubleDouble {
  return add(twoProduct(k, alpha), twoSum(c, -labelScore));
}

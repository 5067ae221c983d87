/**
 * What a compiled program for a block of rows takes and gives, whichever kernels it is made of.
 */

/** 'polynomial': no derivative. */
export type Task = "polynomial" | "inclusion" | "ratio";

/** Arguments of a block, filled anew for each run: signed factors, or arguments of their exponentials. */
export interface RowArguments {
  /** [rows, width] */
  readonly x: Float32Array;
  /** [rows, group]: the largest entries, where they stand apart. */
  readonly group: Float32Array;
  /** [rows, group]: their classes; -1 past the last. */
  readonly classes: Int32Array;
}

export interface RowResult {
  /** log(coefficient k / coefficient k - 1) of the block's row b, about its centre. */
  readonly ratio: (b: number) => number;
  /** Coefficient j of the block's row b; of a 'polynomial' only. */
  readonly coefficient: (b: number, j: number) => number;
  /** Whether coefficients k and k - 1 of the block's row b are in the range that the derivatives need. */
  readonly inRange: (b: number) => boolean;
  /** [rows, width]; empty for a 'polynomial'. */
  readonly derivative: Float32Array;
  /** [rows, group], for the classes of the group. */
  readonly groupDerivative: Float32Array;
}

export interface RowProgram {
  readonly width: number;
  /** Entries of a row that stand apart; 0: none. */
  readonly group: number;
  run(args: RowArguments): Promise<RowResult>;
  readonly executor: string | null;
  destroy(): Promise<void>;
}

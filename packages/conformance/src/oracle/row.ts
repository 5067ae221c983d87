/** The finite entries of a row: an entry of -Infinity is not there. */
export interface Row {
  readonly x: Float64Array;
  /** Where each entry stands in the row with the missing ones. */
  readonly indices: Int32Array;
  /** The same values, largest first. */
  readonly sorted: Float64Array;
}

/** @param except  an index to leave out as well. */
export function finiteEntries(x: ArrayLike<number>, except = -1): Row {
  const indices = Int32Array.from(
    Array.from({ length: x.length }, (_, i) => i).filter((i) => x[i] > -Infinity && i !== except),
  );
  const values = Float64Array.from(indices, (i) => x[i]);
  return { x: values, indices, sorted: values.slice().sort().reverse() };
}

/** 1 for each entry of the row that is selected. */
export function selectedEntries(row: Row, n: number, selected: Int32Array): Uint8Array {
  const flags = new Uint8Array(n);
  for (const i of selected) flags[i] = 1;
  return Uint8Array.from(row.indices, (i) => flags[i]);
}

/** The selected values of the row with its missing entries, whose value is `zero`. */
export function scatter<Value>(
  row: Row,
  n: number,
  values: ArrayLike<Value>,
  selected: Int32Array,
  zero: Value,
): Value[] {
  const all = new Array<Value>(n).fill(zero);
  row.indices.forEach((i, entry) => {
    all[i] = values[entry];
  });
  return Array.from(selected, (i) => all[i]);
}

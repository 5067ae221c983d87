/**
 * Selection of the m largest entries: a min-heap of the best seen so far, as in packages/esym; two entries at a time are
 * passed over where neither is above the smallest of them.
 */
import { get, getIndex, set, setIndex } from "./cells";

/** Restores the min-heap property of values[0..size) and its indices below `root`. */
function siftDown(values: usize, indices: usize, size: i32, root: i32): void {
  const value = get(values, root);
  const index = getIndex(indices, root);
  let hole = root;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= size) break;
    if (child + 1 < size && get(values, child + 1) < get(values, child)) child++;
    if (!(get(values, child) < value)) break;
    set(values, hole, get(values, child));
    setIndex(indices, hole, getIndex(indices, child));
    hole = child;
  }
  set(values, hole, value);
  setIndex(indices, hole, index);
}

/** The m largest entries of x[0..n) above -Infinity, in descending order, with their indices; returns how many there are. */
export function selectLargest(x: usize, n: i32, m: i32, values: usize, indices: usize): i32 {
  let size = 0;
  let i = 0;
  for (; i < n && size < m; i++) {
    if (get(x, i) > -Infinity) {
      set(values, size, get(x, i));
      setIndex(indices, size++, i);
    }
  }
  for (let root = (size >> 1) - 1; root >= 0; root--) siftDown(values, indices, size, root);
  let threshold = get(values, 0);
  while (i < n) {
    if (i + 4 <= n) {
      const t = f64x2.splat(threshold);
      const p = x + ((<usize>i) << 3);
      if (!v128.any_true(v128.or(f64x2.gt(v128.load(p), t), f64x2.gt(v128.load(p, 16), t)))) {
        i += 4;
        continue;
      }
    }
    const to = min(i + 4, n);
    for (; i < to; i++) {
      if (get(x, i) > threshold) {
        set(values, 0, get(x, i));
        setIndex(indices, 0, i);
        siftDown(values, indices, size, 0);
        threshold = get(values, 0);
      }
    }
  }
  // Heap sort: each step moves the smallest left to the end.
  for (let end = size - 1; end > 0; end--) {
    const value = get(values, 0);
    const index = getIndex(indices, 0);
    set(values, 0, get(values, end));
    setIndex(indices, 0, getIndex(indices, end));
    set(values, end, value);
    setIndex(indices, end, index);
    siftDown(values, indices, end, 0);
  }
  return size;
}

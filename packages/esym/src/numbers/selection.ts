/**
 * Selection of the largest entries: a min-heap of the m best seen so far.
 *
 * O(n + m log m log n) on a random order, O(n log m) at worst.
 */

/** Restores the min-heap property of values[0..size) (and its indices) below `root`. */
function siftDown(values: Float64Array, indices: Int32Array, size: number, root: number): void {
  const value = values[root];
  const index = indices[root];
  let hole = root;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= size) break;
    if (child + 1 < size && values[child + 1] < values[child]) child++;
    if (!(values[child] < value)) break;
    values[hole] = values[child];
    indices[hole] = indices[child];
    hole = child;
  }
  values[hole] = value;
  indices[hole] = index;
}

/**
 * The `m` largest entries of x[0..n) above -Infinity, in descending order, with their indices.
 *
 * @param values   receives the entries, length >= m.
 * @param indices  receives their indices, length >= m.
 * @returns how many there are: m, or the number of entries above -Infinity where that is less.
 */
export function selectLargest(
  x: Float64Array,
  n: number,
  m: number,
  values: Float64Array,
  indices: Int32Array,
): number {
  let size = 0;
  let i = 0;
  for (; i < n && size < m; i++) {
    if (x[i] > -Infinity) {
      values[size] = x[i];
      indices[size++] = i;
    }
  }
  for (let root = (size >> 1) - 1; root >= 0; root--) siftDown(values, indices, size, root);
  let threshold = values[0];
  for (; i < n; i++) {
    if (x[i] > threshold) {
      values[0] = x[i];
      indices[0] = i;
      siftDown(values, indices, size, 0);
      threshold = values[0];
    }
  }
  // Heap sort: each step moves the smallest left to the end.
  for (let end = size - 1; end > 0; end--) {
    const value = values[0];
    const index = indices[0];
    values[0] = values[end];
    indices[0] = indices[end];
    values[end] = value;
    indices[end] = index;
    siftDown(values, indices, end, 0);
  }
  return size;
}

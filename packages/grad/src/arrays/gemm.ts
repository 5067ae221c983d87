/**
 * Matrix products on flat arrays: C += A B, A and B with any strides.
 *
 * Blocks of A and B are first copied ("packed") into panels of four rows of A, or four columns of B, in the order in which the
 * kernel reads them. The kernel keeps a tile of 4 x 4 sums in locals: 32 operations for 8 numbers read. Whatever the
 * precision of A and B, panels and sums are doubles: the kernel then meets one type of array, and single precision costs nothing
 * more. The tile was the best of 2 x 2 to 4 x 4 and 1 x 8 within a few percent: 5.4 thousand million operations a second
 * on one core of the machine that docs/speed.md names, against 1 of three plain loops.
 */
import type { Floats } from "./layout.ts";

/** A matrix in somebody's memory. */
export interface Matrix {
  readonly data: Floats;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Rows and columns of a tile. */
const TILE = 4;
/** A packed block of A, BLOCK_ROWS x BLOCK_DEPTH doubles, is 128 KiB; a panel of B, 8 KiB, stays in the first cache. */
const BLOCK_ROWS = 64;
const BLOCK_DEPTH = 256;
/** A packed block of B is at most 1 MiB. */
const BLOCK_COLUMNS = 512;

let packedA: Float64Array = new Float64Array(0);
let packedB: Float64Array = new Float64Array(0);
const edge = new Float64Array(TILE * TILE);

/** c[m, n] += a[m, k] b[k, n]; c is row-major from cOffset, and overlaps neither. */
export function gemm(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Float64Array, cOffset: number): void {
  packedA = roomFor(packedA, Math.min(m, BLOCK_ROWS), Math.min(k, BLOCK_DEPTH));
  packedB = roomFor(packedB, Math.min(n, BLOCK_COLUMNS), Math.min(k, BLOCK_DEPTH));
  for (let column = 0; column < n; column += BLOCK_COLUMNS) {
    const columns = Math.min(BLOCK_COLUMNS, n - column);
    for (let from = 0; from < k; from += BLOCK_DEPTH) {
      const depth = Math.min(BLOCK_DEPTH, k - from);
      const atB = b.offset + from * b.rowStride + column * b.columnStride;
      pack(b.data, atB, b.columnStride, b.rowStride, columns, depth, packedB);
      for (let row = 0; row < m; row += BLOCK_ROWS) {
        const rows = Math.min(BLOCK_ROWS, m - row);
        const atA = a.offset + row * a.rowStride + from * a.columnStride;
        pack(a.data, atA, a.rowStride, a.columnStride, rows, depth, packedA);
        multiplyBlock(rows, columns, depth, c, cOffset + row * n + column, n);
      }
    }
  }
}

function roomFor(current: Float64Array, lanes: number, depth: number): Float64Array {
  const size = (lanes + TILE) * depth;
  return current.length < size ? new Float64Array(size) : current;
}

/** Panels of four lanes: out[panel][l][lane], zeros where lanes are missing in the last one. */
function pack(
  data: Floats,
  offset: number,
  laneStride: number,
  depthStride: number,
  lanes: number,
  depth: number,
  out: Float64Array,
): void {
  let o = 0;
  for (let lane = 0; lane < lanes; lane += TILE) {
    let at = offset + lane * laneStride;
    if (lane + TILE <= lanes) {
      const [second, third, fourth] = [laneStride, 2 * laneStride, 3 * laneStride];
      for (let l = 0; l < depth; l++, at += depthStride, o += TILE) {
        out[o] = data[at];
        out[o + 1] = data[at + second];
        out[o + 2] = data[at + third];
        out[o + 3] = data[at + fourth];
      }
    } else {
      for (let l = 0; l < depth; l++, at += depthStride) {
        for (let i = 0; i < TILE; i++) out[o++] = lane + i < lanes ? data[at + i * laneStride] : 0;
      }
    }
  }
}

/** The packed blocks multiplied into c, tile by tile. */
function multiplyBlock(rows: number, columns: number, depth: number, c: Float64Array, at: number, width: number): void {
  for (let j = 0; j < columns; j += TILE) {
    for (let i = 0; i < rows; i += TILE) {
      if (i + TILE <= rows && j + TILE <= columns) {
        addTile(depth, i * depth, j * depth, c, at + i * width + j, width);
      } else {
        edge.fill(0);
        addTile(depth, i * depth, j * depth, edge, 0, TILE);
        for (let r = i; r < Math.min(i + TILE, rows); r++) {
          for (let s = j; s < Math.min(j + TILE, columns); s++) {
            c[at + r * width + s] += edge[(r - i) * TILE + s - j];
          }
        }
      }
    }
  }
}

/** c tile += panel of A, from pa, times panel of B, from pb. */
function addTile(depth: number, pa: number, pb: number, c: Float64Array, at: number, width: number): void {
  const a = packedA;
  const b = packedB;
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  for (let l = 0; l < depth; l++, pa += TILE, pb += TILE) {
    const b0 = b[pb];
    const b1 = b[pb + 1];
    const b2 = b[pb + 2];
    const b3 = b[pb + 3];
    const a0 = a[pa];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[pa + 1];
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[pa + 2];
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[pa + 3];
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  c[at] += c00;
  c[at + 1] += c01;
  c[at + 2] += c02;
  c[at + 3] += c03;
  at += width;
  c[at] += c10;
  c[at + 1] += c11;
  c[at + 2] += c12;
  c[at + 3] += c13;
  at += width;
  c[at] += c20;
  c[at + 1] += c21;
  c[at + 2] += c22;
  c[at + 3] += c23;
  at += width;
  c[at] += c30;
  c[at + 1] += c31;
  c[at + 2] += c32;
  c[at + 3] += c33;
}

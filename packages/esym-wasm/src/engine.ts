/**
 * Runs the kernels over the rows of a batch: blocks of rows are copied into WebAssembly memory, computed, and copied out, so that
 * memory grows with a block and not with a batch. What already lies in that memory is neither copied nor cut into blocks.
 */
import { checkLogValues, type DoubleDouble, element, type Rows } from "@smooth-topk/esym/kernel";
import { type Job, TASK, writeJob } from "./jobs.ts";
import type { Kernels } from "./kernels.ts";
import type { MemoryBlocks } from "./memory-blocks.ts";
import type { RowThreads } from "./row-threads.ts";

/** Bytes of a block's scores per thread: a block and its gradient stay in a core's second cache. */
const BLOCK_BYTES = 128 * 1024;

type Numbers = Float64Array | Float32Array;

/** Asked for a row's weight while a job runs on the calling thread. */
type RowWeight = (row: number, ratio: number, centre: number) => number;

/** One call on a batch. */
export interface Call {
  readonly caller: string;
  readonly task: Job["task"];
  readonly rows: Rows;
  readonly k: number;
  /** Numbers of the result per row; 0 for none. */
  readonly width: number;
  /** Whether the kernel's result is doubles on a backend of floats too. */
  readonly wide?: boolean;
  /** Takes the results, row-major. */
  readonly out: Numbers | null;
  /** The direction of a Hessian-vector product. */
  readonly v?: Rows;
  readonly temperature?: DoubleDouble;
  readonly leftOut?: ArrayLike<number> | null;
  readonly rowWeight?: RowWeight | null;
  /** Take the two parts of each row's ratio. */
  readonly ratio?: Float64Array;
  readonly centre?: Float64Array;
}

export interface Engine {
  readonly floats: boolean;
  readonly kernels: Kernels;
  readonly threads: RowThreads;
  readonly blocks: MemoryBlocks;
  /** Passes rows' weights from a call to the import that kernels ask; see wasm-backend.ts. */
  readonly weights: { ask: RowWeight };
  /** The block of memory that calls work in, kept from call to call. */
  workspace: { at: number; bytes: number };
}

/** The address of row `b` where the rows lie in the engine's memory as its kernels want them, else null. */
function addressOf(engine: Engine, rows: Rows, b: number): number | null {
  const { data, offset, n, rowStride, columnStride, batch } = rows;
  if (data.buffer !== engine.blocks.memory.buffer || data instanceof Float32Array !== engine.floats) return null;
  if (columnStride !== 1 || (batch > 1 && rowStride !== n)) return null;
  return data.byteOffset + (offset + b * n) * data.BYTES_PER_ELEMENT;
}

function placeOf(engine: Engine, out: Numbers | null): number | null {
  if (out === null || out.buffer !== engine.blocks.memory.buffer) return null;
  return out instanceof Float32Array === engine.floats ? out.byteOffset : null;
}

/** `length` numbers of the engine's precision at an address. */
function view(engine: Engine, at: number, length: number, floats: boolean): Numbers {
  const { buffer } = engine.blocks.memory;
  return floats ? new Float32Array(buffer, at, length) : new Float64Array(buffer, at, length);
}

/** Copies `count` rows from row `from` on to `target`. */
function copyIn(caller: string, argument: string, rows: Rows, from: number, count: number, target: Numbers): void {
  const { data, n, columnStride, rowStride, batch } = rows;
  const start = rows.offset + from * rowStride;
  if (columnStride === 1 && (rowStride === n || batch === 1)) {
    target.set(data.subarray(start, start + count * n));
  } else {
    for (let b = 0; b < count; b++) {
      const row = start + b * rowStride;
      if (columnStride === 1) target.set(data.subarray(row, row + n), b * n);
      else for (let i = 0; i < n; i++) target[b * n + i] = data[row + i * columnStride];
    }
  }
  if (target instanceof Float32Array && data instanceof Float64Array) {
    checkNarrowed(caller, argument, rows, from, count, target);
  }
}

/** Doubles beyond the range of floats would be taken for infinities. */
function checkNarrowed(
  caller: string,
  argument: string,
  rows: Rows,
  from: number,
  count: number,
  target: Float32Array,
): void {
  const { data, offset, n, rowStride, columnStride } = rows;
  for (let at = 0; at < count * n; at++) {
    if (Math.abs(target[at]) !== Infinity) continue;
    const b = from + Math.floor(at / n);
    const value = data[offset + b * rowStride + (at % n) * columnStride];
    if (Math.abs(value) === Infinity) continue;
    const where = element(argument, rows, b, at % n);
    throw new RangeError(`${caller}: ${where} is ${value}, expected a number in the range of single precision`);
  }
}

/** Addresses of a block's arrays in the workspace. */
interface Layout {
  readonly room: { readonly at: number; readonly bytes: number };
  readonly x: number;
  readonly out: number;
  readonly v: number;
  readonly ratios: number;
  readonly centres: number;
  readonly weights: number;
  readonly leftOut: number;
}

/** Makes room for blocks of `count` rows; what the caller keeps in the memory needs none. */
function layOut(engine: Engine, call: Call, count: number, copiesX: boolean, copiesOut: boolean): Layout {
  const { rows, k, caller } = call;
  const { n } = rows;
  const size = engine.floats ? 4 : 8;
  const outSize = call.wide === true ? 8 : size;
  const roomBytes = Math.ceil(engine.kernels.roomBytes(n, k) / 64) * 64;
  let bytes = 0;
  const take = (length: number): number => {
    const at = bytes;
    bytes += Math.ceil(length / 64) * 64;
    return at;
  };
  const room = take(roomBytes * engine.threads.count);
  const x = copiesX ? take(count * n * size) : 0;
  const out = copiesOut ? take(count * call.width * outSize) : 0;
  const v = call.v === undefined ? 0 : take(count * n * size);
  const ratios = take(count * 8);
  const centres = take(count * 8);
  const weights = take(count * 8);
  const leftOut = take(count * 4);
  const { at } = reserve(engine, bytes, `${caller}: rows of n = ${n}, k = ${k}`);
  return {
    room: { at: at + room, bytes: roomBytes },
    x: at + x,
    out: at + out,
    v: at + v,
    ratios: at + ratios,
    centres: at + centres,
    weights: at + weights,
    leftOut: at + leftOut,
  };
}

/** Orders for which {@link reserveFor} makes room. */
const RESERVED_ORDER = 1024;

/**
 * Makes the workspace large enough for calls on a matrix that lies in the engine's memory, of orders up to 1024: a call whose
 * memory grows detaches the views that its caller holds.
 */
export function reserveFor(engine: Engine, batch: number, n: number, purpose: string): void {
  const room = Math.ceil(engine.kernels.roomBytes(n, Math.min(n, RESERVED_ORDER)) / 64) * 64;
  const perRow = 3 * 8 + 4;
  reserve(engine, room * engine.threads.count + batch * perRow + 4 * 64, purpose);
}

function reserve(engine: Engine, bytes: number, purpose: string): { at: number } {
  if (engine.workspace.bytes < bytes) {
    if (engine.workspace.bytes > 0) engine.blocks.free(engine.workspace.at);
    engine.workspace = { at: 0, bytes: 0 };
    engine.workspace = { at: engine.blocks.allocate(bytes, purpose), bytes };
  }
  return engine.workspace;
}

/**
 * Computes a call.
 *
 * @throws RangeError naming the element of x that is NaN or +Infinity, or what does not fit into memory.
 */
export function compute(engine: Engine, call: Call): void {
  const { rows, width, out } = call;
  const { batch, n } = rows;
  const threads = engine.threads.count;
  const size = engine.floats ? 4 : 8;
  const outFloats = engine.floats && call.wide !== true;
  // The room is made before addresses are looked at: growing the memory renews its buffer.
  const inPlace = addressOf(engine, rows, 0) !== null && (out === null || placeOf(engine, out) !== null);
  const perBlock = inPlace ? batch : Math.max(threads, Math.floor((threads * BLOCK_BYTES) / (n * size)));
  const count = Math.min(batch, perBlock);
  const copiesX = addressOf(engine, rows, 0) === null;
  const copiesOut = width > 0 && placeOf(engine, out) === null;
  // Before the memory grows, the addresses of what lies in it.
  const xAt = addressOf(engine, rows, 0) ?? 0;
  const outAt = placeOf(engine, out) ?? 0;
  const layout = layOut(engine, call, count, copiesX, copiesOut);
  if ((batch * n > 0 && rows.data.length === 0) || (out !== null && batch * width > 0 && out.length === 0)) {
    throw new Error(
      `${call.caller}: the backend's memory has grown, which detached the views passed in: take data anew`,
    );
  }
  for (let from = 0; from < batch; from += count) {
    const rowsHere = Math.min(count, batch - from);
    const x = copiesX ? layout.x : xAt + from * n * size;
    const result = copiesOut ? layout.out : outAt + from * width * size;
    if (copiesX) copyIn(call.caller, "x", rows, from, rowsHere, view(engine, x, rowsHere * n, engine.floats));
    if (call.v !== undefined) {
      copyIn(call.caller, "v", call.v, from, rowsHere, view(engine, layout.v, rowsHere * n, engine.floats));
    }
    runBlock(engine, call, layout, from, rowsHere, x, result);
    if (out !== null && copiesOut) {
      out.set(view(engine, result, rowsHere * width, outFloats), from * width);
    }
  }
}

function runBlock(
  engine: Engine,
  call: Call,
  layout: Layout,
  from: number,
  batch: number,
  x: number,
  out: number,
): void {
  const { memory } = engine.blocks;
  const { threads, floats } = engine;
  const { rows, leftOut = null, rowWeight = null, ratio, centre } = call;
  const { n } = rows;
  // A worker cannot call back: rows are weighed once all of them have their ratios.
  const askNow = rowWeight !== null && threads.count === 1;
  const job: Job = {
    task: call.task === TASK.ratioAndGradient && askNow ? TASK.weightedGradient : call.task,
    batch,
    n,
    k: call.k,
    floats,
    x,
    out,
    v: layout.v,
    leftOut: leftOut === null ? 0 : layout.leftOut,
    ratios: layout.ratios,
    centres: layout.centres,
    ...(call.temperature === undefined ? {} : { temperature: call.temperature }),
  };
  if (leftOut !== null) {
    const indices = new Int32Array(memory.buffer, layout.leftOut, batch);
    for (let b = 0; b < batch; b++) indices[b] = leftOut[from + b];
  }
  if (rowWeight !== null && askNow) engine.weights.ask = (row, r, c) => rowWeight(from + row, r, c);
  const bad = run(engine, job, layout);
  if (bad >= 0) {
    // Field by field: without the mark that says these rows have been checked.
    const { data, offset, batch: count, n: width, rowStride, columnStride, isVector, dtype } = rows;
    const unmarked = { data, offset, batch: count, n: width, rowStride, columnStride, isVector, dtype };
    checkLogValues(call.caller, "x", unmarked);
    throw new Error(`${call.caller}: row ${from + bad} of x changed while it was computed`);
  }
  if (ratio === undefined || centre === undefined) return;
  const ratios = new Float64Array(memory.buffer, layout.ratios, batch);
  const centres = new Float64Array(memory.buffer, layout.centres, batch);
  ratio.set(ratios, from);
  centre.set(centres, from);
  if (rowWeight !== null && !askNow && call.task === TASK.ratioAndGradient) {
    const weights = new Float64Array(memory.buffer, layout.weights, batch);
    for (let b = 0; b < batch; b++) weights[b] = rowWeight(from + b, ratios[b], centres[b]);
    run(engine, { ...job, task: TASK.weigh, v: layout.weights }, layout);
  }
}

function run(engine: Engine, job: Job, layout: Layout): number {
  const perChunk = engine.threads.rowsPerChunk(job.batch);
  writeJob(engine.blocks.memory, job, layout.room, perChunk);
  return engine.threads.run(Math.ceil(job.batch / perChunk));
}

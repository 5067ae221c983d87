/**
 * A job: what is to be done with the rows of a batch, written by TypeScript where every thread reads it. A thread claims a chunk
 * of rows at a time and runs it here, with working memory of its own.
 */
import { logEspRows } from "./all-orders";
import { get } from "./cells";
import { setTemperature } from "./exponential";
import { hvpRows } from "./hessian-vector-product";
import { useRoom } from "./room";
import { rows, weighRows } from "./rows";

/** Where the job's numbers stand: doubles, in the order of `JOB_FIELDS` in src/jobs.ts. */
const JOB: usize = 128;

const WEIGH: i32 = 4;
const LOG_ESP: i32 = 5;
const HVP: i32 = 6;

// @ts-ignore: decorator
@inline
function whole(field: i32): i32 {
  return <i32>get(JOB, field);
}

// @ts-ignore: decorator
@inline
function address(field: i32): usize {
  return <usize>get(JOB, field);
}

/**
 * Runs one chunk of the job as one of the threads.
 *
 * @returns the first row that holds NaN or +Infinity, or -1.
 */
export function runJob(chunk: i32, thread: i32): i32 {
  const task = whole(0);
  const batch = whole(1);
  const n = whole(2);
  const k = whole(3);
  const floats = whole(4) !== 0;
  const perChunk = whole(5);
  const from = chunk * perChunk;
  const to = min(from + perChunk, batch);
  const x = address(8);
  const out = address(9);
  if (task === WEIGH) {
    weighRows(out, floats, n, from, to, address(10));
    return -1;
  }
  useRoom(address(6) + <usize>thread * address(7), n, k);
  setTemperature(get(JOB, 14), get(JOB, 15), get(JOB, 16), get(JOB, 17));
  if (task === LOG_ESP) return logEspRows(x, floats, n, k, from, to, out);
  if (task === HVP) return hvpRows(x, floats, address(10), n, k, from, to, out);
  return rows(task, x, floats, n, k, from, to, address(11), address(12), address(13), out);
}

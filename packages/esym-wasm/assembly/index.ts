/** What TypeScript calls. Pointers and sizes are checked there. */
export { runJob } from "./job";
export { roomBytes } from "./room";

/** The first byte that is free. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}

/**
 * Blocks of one WebAssembly memory: first fit, aligned to cache lines; the memory grows where no gap is large enough. A memory
 * cannot shrink: what it has grown to goes when nothing refers to it any more.
 */
import { MOST_PAGES, PAGE } from "./kernels.ts";
import type { WasmMemory } from "./platform.ts";

const LINE = 64;

export class MemoryBlocks {
  readonly memory: WasmMemory;
  readonly #start: number;
  /** Blocks in use by address, with their lengths. */
  readonly #used = new Map<number, number>();

  /** @param start  the first byte that blocks may take. */
  constructor(memory: WasmMemory, start: number) {
    this.memory = memory;
    this.#start = start;
  }

  /**
   * The address of `bytes` free bytes.
   *
   * @param purpose  names them in an error.
   * @throws RangeError if they do not fit, before anything is computed.
   */
  allocate(bytes: number, purpose: string): number {
    const length = Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
    const at = this.#gap(length);
    const end = at + length;
    const { byteLength } = this.memory.buffer;
    if (end > byteLength) {
      const pages = Math.ceil((end - byteLength) / PAGE);
      try {
        if (end > MOST_PAGES * PAGE) throw new RangeError("beyond 32-bit addresses");
        this.memory.grow(pages);
      } catch {
        throw new RangeError(
          `${purpose} needs ${bytes} bytes of WebAssembly memory, which do not fit: ${byteLength} are in use, ` +
            `${MOST_PAGES * PAGE} are addressable`,
        );
      }
    }
    this.#used.set(at, length);
    return at;
  }

  free(at: number): void {
    this.#used.delete(at);
  }

  #gap(length: number): number {
    let at = this.#start;
    for (const [from, taken] of [...this.#used].sort(([a], [b]) => a - b)) {
      if (from - at >= length) return at;
      at = from + taken;
    }
    return at;
  }
}

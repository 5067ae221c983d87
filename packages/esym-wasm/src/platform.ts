/**
 * What is used of the platform, the same in Node and in browsers. Declared here, because the types of browsers and those of other
 * packages exclude each other.
 */

/** A compiled module. */
export type WasmModule = object;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WebAssemblyNamespace {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: object): Promise<{ readonly exports: object }>;
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: boolean;
  }) => WasmMemory;
}

/** A worker of a browser. */
interface PageWorker {
  addEventListener(event: "message" | "error", listener: (event: unknown) => void): void;
  postMessage(message: unknown, transferred: readonly never[]): void;
  terminate(): void;
}

/** A worker of Node. */
interface NodeWorker {
  on(event: "message" | "error", listener: (value: unknown) => void): void;
  postMessage(message: unknown, transferred: readonly never[]): void;
  terminate(): Promise<number>;
  unref(): void;
}

interface Platform {
  readonly WebAssembly: WebAssemblyNamespace;
  readonly crossOriginIsolated?: boolean;
  /** Absent in Node. */
  readonly Worker: new (address: string) => PageWorker;
  /** Absent in browsers. */
  readonly process?: {
    getBuiltinModule?(name: "node:worker_threads"): {
      readonly Worker: new (text: string, options: { readonly eval: true }) => NodeWorker;
    };
  };
}

export const platform: Platform = globalThis as unknown as Platform;

/**
 * The adapter that WebGPU computes on, by the name that its driver gives.
 */

/** What is read of WebGPU's types here, which differ between a browser's and Dawn's declarations. */
interface Webgpu {
  requestAdapter(): Promise<{
    readonly info: Readonly<Record<"vendor" | "architecture" | "device" | "description", string>> & {
      readonly isFallbackAdapter?: boolean;
    };
  } | null>;
}

export interface WebgpuAdapter {
  readonly name: string;
  /** True where a CPU computes in place of a GPU. */
  readonly software: boolean;
}

/** The default adapter, which is the one that kernels get; null where there is none. */
export async function webgpuAdapter(): Promise<WebgpuAdapter | null> {
  const { navigator } = globalThis as { navigator?: { gpu?: Webgpu } };
  const adapter = (await navigator?.gpu?.requestAdapter()) ?? null;
  if (adapter === null) return null;
  const { vendor, architecture, device, description, isFallbackAdapter = false } = adapter.info;
  const parts = [description, device, `${vendor} ${architecture}`.trim()].filter((part) => part !== "");
  return {
    name: parts[0] ?? "an adapter without a name",
    software: isFallbackAdapter || architecture === "swiftshader" || /llvmpipe|swiftshader/i.test(parts.join(" ")),
  };
}

/**
 * A process of its own that asks for WebGPU's adapter and prints what answered, as JSON: Dawn and the Vulkan loader write
 * to standard error as they like, and a broken driver takes its process along.
 */
import { provideWebgpu, type WebgpuAdapter } from "@smooth-topk/esym-gpu/node";
import { messageOf } from "./backends.ts";

export type WebgpuAnswer = { readonly adapter: WebgpuAdapter } | { readonly error: string };

const answer: WebgpuAnswer = await provideWebgpu().then(
  (adapter) => ({ adapter }),
  (error: unknown) => ({ error: messageOf(error) }),
);
process.stdout.write(JSON.stringify(answer));

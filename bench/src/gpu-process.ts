/**
 * One process of the GPU bench: times every case in one mode and prints what it found as JSON.
 *
 *     node gpu-process.js MODE SECONDS
 */
import type { GpuMode } from "@smooth-topk/esym-gpu";
import { timeGpu } from "./gpu-cases.ts";

const [mode, seconds] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await timeGpu(mode as GpuMode, { seconds: Number(seconds), fewestRounds: 5 })));

/**
 * The areas by name.
 */
import type { Area } from "./area.ts";
import { esymArea } from "./esym-area.ts";
import { filesArea } from "./files-area.ts";
import { type FamilyResult, type Failure, fuzz, type Limits } from "./fuzz.ts";
import { gpuArea } from "./gpu-area.ts";
import { gradArea } from "./grad-area.ts";
import { lossArea } from "./loss-area.ts";
import { stdioArea } from "./stdio-area.ts";

type Outcome = { results: FamilyResult[]; failures: Failure[] };

async function run<Case>(opening: Promise<Area<Case>>, limits: Limits): Promise<Outcome> {
  const area = await opening;
  try {
    return await fuzz(area, limits);
  } finally {
    area.close();
  }
}

export type AreaName = "loss" | "esym" | "grad" | "files" | "stdio" | "gpu";

export const areas: Readonly<Record<AreaName, (limits: Limits) => Promise<Outcome>>> = {
  loss: (limits) => run(lossArea(), limits),
  esym: (limits) => run(esymArea(), limits),
  grad: (limits) => run(Promise.resolve(gradArea()), limits),
  files: (limits) => run(Promise.resolve(filesArea()), limits),
  stdio: (limits) => run(Promise.resolve(stdioArea()), limits),
  gpu: (limits) => run(gpuArea(), limits),
};

/**
 * The single precision backend on WebAssembly against the reference in double precision: its range, its refusals per row,
 * its bounds.
 */
import { logEspRatio } from "@smooth-topk/esym";
import { createGpuBackend } from "@smooth-topk/esym-gpu";
import type { Area, Family, Judged } from "./area.ts";
import { lossFamilies } from "./loss-families.ts";
import { simplerNumbers, withoutParts } from "./shrink.ts";

export interface RatioCase {
  readonly x: readonly number[];
  readonly k: number;
}

/** Contract of single precision: 1e-3 relative and 1e-5 of the row's largest, for entries of 1e-30 and more. */
const families: readonly Family<RatioCase>[] = lossFamilies.map(({ name, draw }) => ({
  name,
  draw: (random) => {
    const { scores, k, tau } = draw(random);
    return { x: scores.map((s) => Math.fround(s / (k * tau))), k };
  },
}));

export async function gpuArea(): Promise<Area<RatioCase>> {
  const backend = await createGpuBackend({ mode: "webasm", threads: false });
  return {
    families,
    close: () => backend.destroy(),
    judge: async ({ x, k }): Promise<Judged> => {
      const exact = logEspRatio([...x], k);
      const found = await backend.logEspRatio([...x], k);
      const largest = Math.max(...exact.grad.data);
      let worst: Judged = { used: 0, reason: "" };
      for (let i = 0; i < x.length; i++) {
        const [is, right] = [found.grad.data[i], exact.grad.data[i]];
        if (Number.isNaN(right) && Number.isNaN(is)) continue;
        const used =
          right < 1e-30
            ? Math.abs(is) <= 2e-30
              ? 0
              : Infinity
            : Math.abs(is - right) / Math.min(1e-3 * right, 1e-5 * largest);
        if (!(used <= worst.used))
          worst = { used: used >= 0 ? used : Infinity, reason: `grad[${i}] is ${is} for ${right}` };
      }
      return worst;
    },
    *simpler(example) {
      const { x, k } = example;
      for (const left of withoutParts(x)) if (left.length > 0) yield { x: left, k: Math.min(k, left.length) };
      if (k > 1) yield { x, k: k - 1 };
      for (const [i, value] of x.entries()) {
        for (const simple of simplerNumbers(value)) yield { x: x.with(i, Math.fround(simple)), k };
      }
    },
  };
}

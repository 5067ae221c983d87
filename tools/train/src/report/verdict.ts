/**
 * What the numbers say of the paper's claim, in sentences that are made from them.
 */
import { lossTitle, percent, percentGain } from "./percent.ts";
import type { Mean, Summary } from "./summary.ts";

type Standing = "better" | "worse" | "even" | "open";

/** Better or worse by more than two standard errors; a single seed settles nothing. */
function standing({ mean, standardError }: Mean): Standing {
  if (standardError === null) return "open";
  if (Math.abs(mean) <= 2 * standardError) return "even";
  return mean > 0 ? "better" : "worse";
}

function listed(cells: readonly Summary[], axis: "noise" | "fraction"): string {
  return cells.map((cell) => String(cell[axis])).join(", ");
}

const words: Readonly<Record<Standing, string>> = {
  better: "better than cross-entropy",
  worse: "worse than cross-entropy",
  even: "within two standard errors of cross-entropy",
  open: "measured with one seed only, which settles nothing,",
};

/** One sentence for an accuracy over the cells of an axis. */
function sentence(
  cells: readonly Summary[],
  axis: "noise" | "fraction",
  which: "top1" | "topk",
  subject: string,
): string {
  const of = (cell: Summary): Mean => (cell.gain as NonNullable<Summary["gain"]>)[which];
  const parts = (["better", "worse", "even", "open"] as const).flatMap((kind) => {
    const some = cells.filter((cell) => standing(of(cell)) === kind);
    if (some.length === 0) return [];
    const gains = some.map((cell) => percentGain(of(cell))).join(", ");
    return [`${words[kind]} at ${axis} ${listed(some, axis)} (${gains} points)`];
  });
  return `${subject} ${parts.join("; ")}.`;
}

/**
 * Sentences on the smooth loss against cross-entropy: over the levels of noise at the largest fraction, and over the
 * fractions at the lowest noise.
 */
export function verdict(summary: readonly Summary[], k: number): string[] {
  const smooth = summary.filter(({ loss, gain }) => loss === "smooth-topk" && gain !== null);
  if (smooth.length === 0) return [];
  const most = Math.max(...smooth.map(({ fraction }) => fraction));
  const least = Math.min(...smooth.map(({ noise }) => noise));
  const alongNoise = smooth.filter(({ fraction }) => fraction === most);
  const alongFraction = smooth.filter(({ noise, fraction }) => noise === least && fraction !== most);
  const title = lossTitle("smooth-topk", k);
  const share = most === 1 ? "all the training samples" : `${percent(most, 0)} % of the training samples`;
  const out: string[] = [];
  for (const which of ["topk", "top1"] as const) {
    const name = which === "topk" ? `top-${k}` : "top-1";
    out.push(sentence(alongNoise, "noise", which, `In ${name} accuracy, on ${share}, ${title} is`));
    if (alongFraction.length > 0) {
      out.push(sentence(alongFraction, "fraction", which, `In ${name} accuracy at noise ${least}, ${title} is`));
    }
  }
  return out;
}

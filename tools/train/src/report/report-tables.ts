/**
 * The tables of report.html.
 */
import { escapeText } from "./line-chart.ts";
import { lossTitle, percentGain, percentMean } from "./percent.ts";
import type { Results, Summary } from "./summary.ts";

function cell(content: string, name = ""): string {
  return `<td${name === "" ? "" : ` class="${name}"`}>${escapeText(content)}</td>`;
}

/** All cells, the best of each noise and fraction in bold, and what validation chose. */
export function tableSection({ identity, summary }: Results): string {
  const { k } = identity;
  const isBest = (one: Summary, which: "top1" | "topk"): string =>
    summary.every(
      (other) => other.noise !== one.noise || other.fraction !== one.fraction || other[which].mean <= one[which].mean,
    )
      ? "best"
      : "";
  const rows = summary.map((one, i) => {
    const before = summary[i - 1];
    const isFirst = before?.noise !== one.noise || before.fraction !== one.fraction;
    const taus = one.chosen.map(({ tau }) => tau).filter((tau) => tau !== null);
    const cells = [
      cell(String(one.noise)),
      cell(String(one.fraction)),
      cell(lossTitle(one.loss, k)),
      cell(percentMean(one.topk), isBest(one, "topk")),
      cell(one.gain === null ? "" : percentGain(one.gain.topk)),
      cell(percentMean(one.top1), isBest(one, "top1")),
      cell(one.gain === null ? "" : percentGain(one.gain.top1)),
      cell(one.chosen.map(({ learningRate }) => learningRate).join(", "), "text"),
      cell(taus.join(", "), "text"),
      cell(String(one.seeds)),
    ];
    return `<tr${isFirst ? ' class="first"' : ""}>${cells.join("")}</tr>`;
  });
  const heading = `<tr><th>noise</th><th>fraction</th><th>loss</th><th>top-${k} %</th><th>over cross-entropy</th><th>top-1 %</th><th>over cross-entropy</th><th class="text">learning rate</th><th class="text">tau</th><th>seeds</th></tr>`;
  return `<section><h2>All results</h2><p class="caption">Mean ± standard error over the seeds. Gains are means of differences at the same seed, where all losses have the same split, noise, first weights and order. Learning rate and temperature as validation chose them, by seed; the rate is multiplied by k for the top-k losses, whose scores are divided by k.</p><div class="scroll"><table><thead>${heading}</thead><tbody>${rows.join("")}</tbody></table></div></section>`;
}

/** What was run. */
export function aboutSection({ identity, runs }: Results): string {
  const { data, fingerprint, shape, model, hidden, epochs, batchSize, momentum, weightDecay } = identity;
  const { k, alpha, taus, learningRates } = identity;
  const commits = [...new Set(runs.map(({ commit }) => commit ?? "unknown"))];
  const facts: [string, string][] = [
    ["data", `${data}, samples of ${shape.join(" x ")}, SHA-256 ${fingerprint.slice(0, 16)}`],
    ["model", model === "mlp" ? `${model}, ${hidden} hidden units` : model],
    ["training", `${epochs} epochs of batches of ${batchSize}, momentum ${momentum}, weight decay ${weightDecay}`],
    ["loss", `k = ${k}, alpha = ${alpha}, on ${identity.backend}`],
    ["candidates", `tau ${taus.join(", ")}; learning rate ${learningRates.join(", ")}`],
    ["time", `${(runs.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1)} minutes in ${runs.length} runs`],
    ["commit", commits.join(", ")],
  ];
  const rows = facts.map(([name, text]) => `<tr>${cell(name, "text")}${cell(text, "text")}</tr>`);
  return `<section><h2>What was run</h2><div class="scroll"><table>${rows.join("")}</table></div><p class="caption">Losses after L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018 (arXiv 1802.07595). All runs are in results.json beside this page.</p></section>`;
}

/**
 * report.html: the results as a page of its own, without scripts or anything from outside.
 */
import type { Results } from "./summary.ts";
import { aboutSection, tableSection } from "./report-tables.ts";
import { escapeText } from "./line-chart.ts";
import { lossTitle } from "./percent.ts";
import type { ReferenceTable } from "./reference-table.ts";
import { fractionFigure, learningFigure, noiseFigure, temperatureFigure } from "./report-figures.ts";
import { STYLE } from "./report-style.ts";
import { verdict } from "./verdict.ts";

/** The page of what is finished; a reference is drawn beside the accuracy against noise. */
export function reportPage(results: Results, reference?: ReferenceTable): string {
  const { identity, summary, runs, complete } = results;
  const { k } = identity;
  const losses = [...new Set(summary.map(({ loss }) => loss))];
  const legend = losses
    .map((loss) => `<li class="${loss}"><span class="swatch"></span>${escapeText(lossTitle(loss, k))}</li>`)
    .join("");
  const sentences = verdict(summary, k).map((sentence) => `<li>${escapeText(sentence)}</li>`);
  const unfinished = complete ? "" : `<p class="note">Unfinished: the same command goes on from here.</p>`;
  const body =
    summary.length === 0
      ? `<p>No combination is finished yet.</p>`
      : [
          `<ul class="verdict">${sentences.join("")}</ul>`,
          `<ul class="legend">${legend}</ul>`,
          noiseFigure(results, reference),
          fractionFigure(results),
          temperatureFigure(results),
          learningFigure(results),
          tableSection(results),
        ].join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>smooth-topk train: ${escapeText(identity.data)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Smooth top-${k} loss and cross-entropy on ${escapeText(identity.data)}</h1>
<p class="lead">${identity.samples} samples, ${identity.classes} classes in ${identity.superClasses} super-classes; a ${escapeText(identity.model)} model, ${runs.length} runs. Accuracies are on the test set, with true labels; bars are standard errors of the mean over seeds. Temperature and learning rate are chosen on validation, with ${identity.taus.length * identity.learningRates.length} candidates for every loss.</p>
${unfinished}${body}
${aboutSection(results)}
</main>
</body>
</html>
`;
}

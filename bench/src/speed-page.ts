/**
 * The generated part of docs/speed.md: targets, and a table for each section.
 */
import type { JoinedCase, JoinedTiming } from "./between-processes.ts";
import type { Exponent, Measured, SpeedResults } from "./speed-results.ts";
import { againstTheirs, percent, tape, worstShare } from "./speed-page-grad.ts";
import { authorsTables, number, when } from "./speed-page-authors.ts";

/** @param skipped  why the comparison with the authors' code was not run this time, or null if it was. */
export function tables(results: SpeedResults, skipped: string | null): string {
  const parts = [
    targets(results),
    losses(results),
    section("### Many classes, many guesses", results.shapes, shapes),
    section("### k from 1 to 200", results.orders, (cases) => scaling(cases[0], results.exponentOfOrders, 1000)),
    section("### n from 100 to 1,000,000", results.sizes, (cases) => scaling(cases[0], results.exponentOfSizes, null)),
    memory(results),
    section("### The functions of esym, one row", results.esp, esp),
    section("### Where the time goes", results.parts, partsOfLoss),
    section("### Matrix products against TensorFlow.js", results.products, againstTheirs),
    section("### Convolutions against TensorFlow.js", results.convolutions, againstTheirs),
    section("### What the tape adds", results.tape, tape),
    `### The authors' PyTorch code\n\n${authorsTables(results.authors, skipped)}`,
  ];
  return parts.join("\n\n");
}

function section<T>(title: string, measured: Measured<T> | undefined, body: (result: T) => string): string {
  return measured === undefined
    ? `${title}\n\nNot measured yet.`
    : `${title}\n\n${when(measured)}\n\n${body(measured.result)}`;
}

function timing(found: JoinedCase, name: string): JoinedTiming {
  const at = found.timings.find((t) => t.name === name);
  if (at === undefined) throw new Error(`no timing of ${name}`);
  return at;
}

function verdict(holds: boolean): string {
  return holds ? "met" : "missed";
}

function targets(results: SpeedResults): string {
  const lines = ["| target | measured | |", "| --- | --- | --- |"];
  for (const dtype of ["float64", "float32"] as const) {
    const found = results[dtype]?.result.find(({ parameters: { k, tau } }) => k === 5 && tau === 1);
    if (found === undefined) continue;
    const { ratio, lowestRatio, highestRatio } = timing(found, "smooth top-k");
    lines.push(
      `| loss and gradient at k = 5, tau = 1, n = 1000, ${dtype}: at most 2.5 times cross-entropy | ` +
        `${number(ratio)} times (processes: ${number(lowestRatio)} to ${number(highestRatio)}) | ${verdict(ratio <= 2.5)} |`,
    );
  }
  const exponents = [
    ["forward pass at most linear in k (exponent at most 1)", results.exponentOfOrders, 1],
    ["forward pass linear in n (exponent at most 1.05)", results.exponentOfSizes, 1.05],
  ] as const;
  for (const [target, measured, bound] of exponents) {
    if (measured === undefined) continue;
    const [all, upper] = measured.result;
    lines.push(
      `| ${target} | ${exponentText(all)}; ${exponentText(upper)} | ` +
        `${verdict(all.exponent <= bound && upper.exponent <= bound)} |`,
    );
  }
  if (results.memory !== undefined) {
    const single = results.memory.result.filter(({ batch, k }) => batch === 1 && k === 5);
    const buffers = single.map(({ arrayBuffers, n }) => arrayBuffers / n);
    const [{ resident, n }] = single.toSorted((a, b) => b.n - a.n || b.resident - a.resident);
    const limit = 64;
    lines.push(
      `| memory of a sample O(n): at most ${limit} bytes per class, whatever n | array buffers ${number(Math.min(...buffers))} to ` +
        `${number(Math.max(...buffers))} bytes per class; resident set ${number(resident / n)} at n = ${n} | ` +
        `${verdict(Math.max(...buffers, resident / n) <= limit)} |`,
    );
  }
  for (const [name, measured] of [
    ["matrix products", results.products],
    ["convolutions", results.convolutions],
  ] as const) {
    if (measured === undefined) continue;
    const { ratio, lowest, highest } = worstShare(measured.result);
    lines.push(
      `| ${name}, both precisions: at most 3 times TensorFlow.js's plain CPU backend | ` +
        `at most ${number(ratio)} times (${number(lowest)} to ${number(highest)}) | ${verdict(ratio <= 3)} |`,
    );
  }
  for (const found of results.tape?.result ?? []) {
    const { ratio, lowestRatio, highestRatio } = timing(found, "through the tape");
    lines.push(
      `| the tape adds less than 5 % to the fused loss and gradient, ${found.parameters.dtype} | ` +
        `${percent(ratio)} (${percent(lowestRatio)} to ${percent(highestRatio)}) | ${verdict(ratio < 1.05)} |`,
    );
  }
  const against = results.authors?.result.timings.find((t) => t.dtype === "float32" && t.loss === "smooth top-k");
  if (against !== undefined) {
    lines.push(
      "| at least 15 times faster than the authors' code, float32, loss and gradient | " +
        `${number(against.ratio)} times (${number(against.lowestRatio)} to ${number(against.highestRatio)}) | ${verdict(against.ratio >= 15)} |`,
    );
  }
  return lines.join("\n");
}

function exponentText({ variable, from, exponent, lowest, highest }: Exponent): string {
  return `${exponent.toFixed(2)} from ${variable} = ${from} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
}

/** A row for each shape, a column for each temperature. */
function shapes(cases: readonly JoinedCase[]): string {
  const taus = [...new Set(cases.map(({ parameters }) => parameters.tau))];
  const lines = [
    "Loss and gradient, float64, as multiples of cross-entropy on the same scores; in brackets the lowest and the highest process.",
    "",
    `| batch | n | k | ${taus.map((tau) => `tau = ${tau}`).join(" | ")} |`,
    `| ---: | ---: | ---: |${taus.map(() => " --- |").join("")}`,
  ];
  for (let at = 0; at < cases.length; at += taus.length) {
    const { batch, n, k } = cases[at].parameters;
    const ratios = cases.slice(at, at + taus.length).map((found) => {
      const { ratio, lowestRatio, highestRatio } = timing(found, "smooth top-k");
      return `${number(ratio)} (${number(lowestRatio)} to ${number(highestRatio)})`;
    });
    lines.push(`| ${batch} | ${n} | ${k} | ${ratios.join(" | ")} |`);
  }
  return lines.join("\n");
}

function losses(results: SpeedResults): string {
  const lines = [
    "### Loss and gradient against cross-entropy",
    "",
    results.float64 === undefined ? "Not measured yet." : when(results.float64),
    "",
    "Batch 256, n = 1000, milliseconds per batch. Ratio: median over processes, in brackets the lowest and the highest of a process.",
    "Quartiles: of the ratios of single rounds, within a process.",
    "",
    "| scores | k | tau | cross-entropy | smooth top-k | ratio | quartiles |",
    "| --- | ---: | ---: | ---: | ---: | --- | --- |",
  ];
  for (const dtype of ["float64", "float32"] as const) {
    for (const found of results[dtype]?.result ?? []) {
      const { ms, ratio, lowestRatio, highestRatio, lowerQuartile, upperQuartile } = timing(found, "smooth top-k");
      lines.push(
        `| ${dtype} | ${found.parameters.k} | ${found.parameters.tau} | ${number(timing(found, "cross-entropy").ms)} | ${number(ms)} | ` +
          `${number(ratio)} (${number(lowestRatio)} to ${number(highestRatio)}) | ${number(lowerQuartile)} to ${number(upperQuartile)} |`,
      );
    }
  }
  return lines.join("\n");
}

function scaling(found: JoinedCase, exponents: Measured<Exponent[]> | undefined, fixed: number | null): string {
  const variable = String(found.parameters.variable);
  const last = variable === "k" ? "nanoseconds a class and order" : "nanoseconds a class";
  const lines = [
    `The loss without its gradient, float64, ${variable === "k" ? "n = 1000" : "k = 5"}, tau = 1.`,
    "",
    `| ${variable} | microseconds a row | ${last} |`,
    "| ---: | ---: | ---: |",
  ];
  for (const { name, ms } of found.timings) {
    const each = (ms * 1e6) / (fixed === null ? Number(name) : fixed * Number(name));
    lines.push(`| ${name} | ${number(ms * 1000)} | ${number(each)} |`);
  }
  if (exponents !== undefined) {
    lines.push("", `Exponent fitted to the logarithms: ${exponents.result.map(exponentText).join("; ")}.`);
  }
  return lines.join("\n");
}

function memory({ memory: measured }: SpeedResults): string {
  return section("### Memory", measured, (growths) => {
    const lines = [
      "What one call adds to a process that has only handled small ones; classes of one sample. The scores, and the gradient's memory, are",
      "the caller's. The resident set's peak is less where memory freed earlier is used again.",
      "",
      "| pass | batch | n | k | array buffers, bytes per class | resident set at its peak, bytes per class | heap objects, KiB in all |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ];
    for (const { pass, batch, n, k, arrayBuffers, heap, resident } of growths) {
      lines.push(
        `| ${pass} | ${batch} | ${n} | ${k} | ${number(arrayBuffers / n)} | ${number(resident / n)} | ${number(heap / 1024)} |`,
      );
    }
    return lines.join("\n");
  });
}

function esp(cases: JoinedCase[]): string {
  const names = [...new Set(cases.flatMap(({ timings }) => timings.map(({ name }) => name)))];
  const lines = [
    "Milliseconds, in brackets the ratio to the default algorithm of logEsp. Normal scores of scale 1.",
    "",
    `| | ${cases.map(({ parameters: { n, k } }) => `n = ${n}, k = ${k}`).join(" | ")} |`,
    `| --- |${cases.map(() => " ---: |").join("")}`,
  ];
  for (const name of names) {
    const row = cases.map(({ timings }) => {
      const found = timings.find((t) => t.name === name);
      return found === undefined ? "refused" : `${number(found.ms)} (${number(found.ratio)})`;
    });
    lines.push(`| ${name} | ${row.join(" | ")} |`);
  }
  return lines.join("\n");
}

function partsOfLoss(cases: JoinedCase[]): string {
  const lines = [
    "Batch 256, n = 1000, float64, tau = 1: milliseconds per batch, in brackets the share of the whole. The parts called alone cost what",
    "they cost in the loss only roughly: a few percent of the differences is noise.",
    "",
    `| part | ${cases.map(({ parameters: { k } }) => `k = ${k}`).join(" | ")} |`,
    `| --- |${cases.map(() => " ---: |").join("")}`,
  ];
  for (const { name } of cases[0].timings) {
    const row = cases.map((found) => {
      const { ms, ratio } = timing(found, name);
      return `${number(ms)} (${(100 * ratio).toFixed(0)} %)`;
    });
    lines.push(`| ${name} | ${row.join(" | ")} |`);
  }
  return lines.join("\n");
}

/**
 * npm run fuzz -- [--area loss] [--minutes 1] [--seed N] [--cases N]: the exit status is 1 if a case failed.
 */
import { parseArgs } from "node:util";
import { areas, type AreaName } from "./areas.ts";

const { values } = parseArgs({
  options: {
    area: { type: "string", default: "loss" },
    minutes: { type: "string", default: "1" },
    cases: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [minutes, cases, seed] = [values.minutes, values.cases, values.seed].map(Number);
if (!(values.area in areas) || !(minutes > 0) || !(cases > 0) || !Number.isSafeInteger(seed)) {
  console.error(
    `fuzz: expected --area ${Object.keys(areas).join("|")}, --minutes > 0, --cases > 0, --seed an integer:` +
      ` got ${process.argv.slice(2).join(" ")}`,
  );
  process.exit(2);
}
console.log(`fuzz: --area ${values.area} --seed ${seed} repeats these cases`);
const began = Date.now();
const { results, failures } = await areas[values.area as AreaName]({ seed, time: minutes * 60_000, cases });
console.log("| family | cases | worst, of what is allowed | case | failed |\n| --- | --- | --- | --- | --- |");
for (const { family, cases: count, worst, at, failed } of results) {
  console.log(`| ${family} | ${count} | ${worst.toFixed(3)} | ${at} | ${failed} |`);
}
for (const { family, at, reason, text } of failures) {
  console.log(`\n${family}, case ${at}: ${reason}\nfor tools/fuzz/regressions.json:\n${text}`);
}
const total = results.reduce((sum, { cases: count }) => sum + count, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`\n${total} cases in ${((Date.now() - began) / 1000).toFixed(0)} s, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

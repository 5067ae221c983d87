/**
 * The functions of @smooth-topk/esym on one row, against its default log sigma.
 */
import { ALGORITHMS, inclusionProbabilities, logEsp, logEspHvp, logEspVjp, subsetSampler } from "@smooth-topk/esym";
import type { ProcessCase } from "./between-processes.ts";
import { type Contender, type Effort, interleave, summarise } from "./interleaved-timer.ts";
import { expectSame } from "./same-work.ts";
import { families, seeded } from "./score-families.ts";

const SIZES = [
  { n: 20, k: 5 },
  { n: 1000, k: 5 },
  { n: 10_000, k: 50 },
  { n: 100_000, k: 300 },
];
/** Above this enumeration is refused. */
const LARGEST_ENUMERATION = 30;
const BASELINE = "logEsp, summation";

export function speedOfEsps(effort: Effort): ProcessCase[] {
  return SIZES.map(({ n, k }) => {
    const random = seeded(n);
    const x = families["normal, scale 1"](n, random);
    const v = families["normal, scale 1"](n, random);
    expectAgreement(x, v, k);
    const cotangent = new Float64Array(k + 1).fill(1);
    const draw = subsetSampler(x, k);
    const contenders: Contender[] = [
      ...algorithmsFor(n).map((algorithm) => ({
        name: `logEsp, ${algorithm}`,
        run: () => void logEsp(x, k, { algorithm }),
      })),
      { name: "inclusionProbabilities", run: () => void inclusionProbabilities(x, k) },
      { name: "logEspVjp", run: () => void logEspVjp(x, k, cotangent) },
      { name: "logEspHvp", run: () => void logEspHvp(x, k, v) },
      { name: "subsetSampler, preparation", run: () => void subsetSampler(x, k) },
      { name: "subsetSampler, one sample", run: () => void draw(random) },
    ];
    return { parameters: { n, k }, timings: summarise(interleave(contenders, effort), BASELINE) };
  });
}

function algorithmsFor(n: number): (typeof ALGORITHMS)[number][] {
  return ALGORITHMS.filter((algorithm) => algorithm !== "enumeration" || n <= LARGEST_ENUMERATION);
}

/** The algorithms agree; the derivatives are those of one function; a sample is a k-subset. */
function expectAgreement(x: Float64Array, v: Float64Array, k: number): void {
  const n = x.length;
  const expected = logEsp(x, k).data;
  for (const algorithm of algorithmsFor(n)) {
    expectSame(`logEsp, ${algorithm}`, logEsp(x, k, { algorithm }).data, expected, 1e-10);
  }
  const inclusion = inclusionProbabilities(x, k).data;
  expectSame("sum of inclusion probabilities", [inclusion.reduce((s, p) => s + p, 0)], [k], 1e-10);
  const cotangent = new Float64Array(k + 1);
  cotangent[k] = 1;
  expectSame("logEspVjp", logEspVjp(x, k, cotangent).data, inclusion, 1e-11);
  const step = 1e-4;
  const up = inclusionProbabilities(
    x.map((value, i) => value + step * v[i]),
    k,
  ).data;
  const down = inclusionProbabilities(
    x.map((value, i) => value - step * v[i]),
    k,
  ).data;
  const difference = up.map((p, i) => (p - down[i]) / (2 * step));
  expectSame("logEspHvp", logEspHvp(x, k, v).data, difference, 1e-5);
  const sample = subsetSampler(x, k)(seeded(1));
  if (sample.length !== k || new Set(sample).size !== k) throw new Error("a sample is not a k-subset");
}

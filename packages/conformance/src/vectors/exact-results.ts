/**
 * The results that the oracle gives for a case, as the protocol writes them: doubles and 40 digits.
 */
import type { EspCase, LossCase } from "./case-family.ts";
import { createDecimalOracle, createOracle, type OracleOf } from "../oracle/oracle.ts";
import { type JsonNumber, type Output, toJson } from "./vector-file.ts";

const DIGITS = 40;

interface ExactResults {
  readonly expected: Output<JsonNumber>;
  readonly digits: Output<string>;
  readonly variance?: readonly (readonly JsonNumber[])[];
}

/** Judges cases by both oracles; `destroy` frees them. */
export interface ExactFunctions {
  loss(name: "smooth_topk_loss" | "topk_loss", input: LossCase): ExactResults;
  esp(name: "log_esp" | "log_esp_hvp", input: EspCase): ExactResults;
  destroy(): void;
}

/** @throws Error if gmp-wasm is not installed. */
export async function createExactFunctions(): Promise<ExactFunctions> {
  const doubles = await createOracle();
  const decimals = await createDecimalOracle(DIGITS);
  const both = (
    of: <V, A extends Iterable<V>>(oracle: OracleOf<V, A>) => Record<string, (V | V[])[]>,
  ): ExactResults => {
    const values = of<number, Float64Array>(doubles);
    return {
      expected: Object.fromEntries(
        Object.entries(values).map(([name, rows]) => [
          name,
          rows.map((row) => (Array.isArray(row) ? row.map(toJson) : toJson(row))),
        ]),
      ),
      digits: of<string, string[]>(decimals),
    };
  };
  return {
    loss: (name, { scores, labels, k, tau, alpha }) =>
      both((oracle) => {
        const results = scores.map((row, b) =>
          name === "topk_loss"
            ? oracle.topkLoss(row, labels[b], { k, alpha })
            : oracle.smoothTopkLoss(row, labels[b], { k, tau, alpha }),
        );
        return { loss: results.map(({ loss }) => loss), grad: results.map(({ grad }) => Array.from(grad)) };
      }),
    esp: (name, { x, k, v }) => {
      // A row with sigma_k = 0 has no distribution: no inclusion probabilities, no covariance.
      const ifAny = <V>(row: readonly number[], values: () => Iterable<V>): V[] =>
        row.filter((entry) => entry > -Infinity).length < k ? [] : [...values()];
      if (name === "log_esp") {
        return both((oracle) => ({
          log_sigma: x.map((row) => [...oracle.logEsp(row, k)]),
          inclusion: x.map((row) => ifAny(row, () => oracle.inclusionProbabilities(row, k))),
        }));
      }
      const results = both((oracle) => ({
        hvp: x.map((row, b) => ifAny(row, () => oracle.logEspHvp(row, k, v[b]))),
      }));
      const unit = (n: number, at: number): number[] => Array.from({ length: n }, (_, i) => (i === at ? 1 : 0));
      const variance = x.map((row) =>
        ifAny(row, () => row.map((_, i) => toJson(doubles.logEspHvp(row, k, unit(row.length, i), { select: [i] })[0]))),
      );
      return { ...results, variance };
    },
    destroy: () => {
      doubles.destroy();
      decimals.destroy();
    },
  };
}

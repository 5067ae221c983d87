/**
 * Draws cases of an area until time or count is up, and shrinks the first failure of each family.
 */
import { type Area, judged, randomOf } from "./area.ts";
import { shrink } from "./shrink.ts";

export interface Failure {
  readonly family: string;
  /** `seed` and `at` draw the case again. */
  readonly seed: number;
  readonly at: number;
  readonly reason: string;
  /** The shrunk case as JSON, with "-Infinity" and the like as strings. */
  readonly text: string;
}

export interface FamilyResult {
  readonly family: string;
  readonly cases: number;
  /** The largest part of what is allowed that a case used. */
  readonly worst: number;
  /** Which case that was. */
  readonly at: number;
  readonly failed: number;
}

export interface Limits {
  readonly seed: number;
  /** Milliseconds. */
  readonly time: number;
  readonly cases: number;
  /** Milliseconds for shrinking one failure. */
  readonly shrinking?: number;
}

export async function fuzz<Case>(
  area: Area<Case>,
  { seed, time, cases, shrinking = 30_000 }: Limits,
): Promise<{ results: FamilyResult[]; failures: Failure[] }> {
  const results = area.families.map(({ name }) => ({ family: name, cases: 0, worst: 0, at: 0, failed: 0 }));
  const failures: Failure[] = [];
  const deadline = Date.now() + time;
  for (let at = 0; at < cases && Date.now() < deadline; at++) {
    const which = at % area.families.length;
    const result = results[which];
    const example = area.families[which].draw(randomOf(seed, at));
    const { used, reason } = await judged(area, example);
    result.cases++;
    if (used > result.worst) Object.assign(result, { worst: used, at });
    if (!(used > 1)) continue;
    result.failed++;
    if (result.failed > 1) continue;
    const smallest = await shrink(area, example, Date.now() + shrinking);
    const last = await judged(area, smallest);
    failures.push({
      family: result.family,
      seed,
      at,
      reason: `${reason}; shrunk: ${last.reason}`,
      text: textOf(smallest),
    });
  }
  return { results, failures };
}

/** JSON whose numbers come back as they were. */
export function textOf(example: unknown): string {
  return JSON.stringify(example, (_, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? Object.is(value, -0)
        ? "-0"
        : String(value)
      : value,
  );
}

/** What {@link textOf} wrote. */
export function fromText(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === "string" && ["Infinity", "-Infinity", "NaN", "-0"].includes(value) ? Number(value) : value,
  );
}

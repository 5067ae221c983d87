/**
 * Label noise within super-classes, as in the authors' experiments.
 */
import { membersOfSuperClasses } from "./dataset.ts";
import { stream } from "../training/random-streams.ts";

/**
 * With probability p each label is drawn again, uniformly among the classes of its super-class, its own included: a
 * label of a super-class of m classes changes with probability p (m - 1) / m.
 *
 * What is drawn for a sample depends on the seed and not on p, so that the labels changed at one level of noise are
 * among those drawn again at a higher one.
 *
 * @returns new labels; those passed in are not changed.
 */
export function withLabelNoise(
  labels: Int32Array,
  superClassOf: Int32Array,
  probability: number,
  seed: number,
): Int32Array {
  const members = membersOfSuperClasses(superClassOf);
  const siblings = new Map(members.flatMap((list) => list.map((label) => [label, list] as const)));
  const { uniform } = stream(seed, "label noise");
  return labels.map((label) => {
    const drawnAgain = uniform() < probability;
    const draw = uniform();
    if (!drawnAgain) return label;
    const among = siblings.get(label) as number[];
    return among[Math.floor(draw * among.length)];
  });
}

/**
 * The embedded data set: classes in super-classes, as in CIFAR-100, drawn from a seed of its own.
 */
import type { Dataset } from "./dataset.ts";
import { stream } from "../training/random-streams.ts";

export interface SyntheticOptions {
  readonly superClasses: number;
  readonly classesPerSuperClass: number;
  readonly samplesPerClass: number;
  readonly features: number;
  /** Standard deviation of the super-classes' centres, per feature; samples have 1 about their class's. */
  readonly superClassSpread: number;
  /** Standard deviation of the classes' centres about their super-class's, per feature. */
  readonly classSpread: number;
}

const DEFAULTS: SyntheticOptions = {
  superClasses: 10,
  classesPerSuperClass: 5,
  samplesPerClass: 40,
  features: 24,
  superClassSpread: 0.6,
  classSpread: 0.5,
};

/** A Gaussian cloud for each class, about a centre that lies near those of its siblings. The same in every call. */
export function syntheticDataset(options: Partial<SyntheticOptions> = {}): Dataset {
  const { superClasses, classesPerSuperClass, samplesPerClass, features, superClassSpread, classSpread } = {
    ...DEFAULTS,
    ...options,
  };
  const { normal } = stream(2018, "synthetic data");
  const classes = superClasses * classesPerSuperClass;
  const inputs = new Float32Array(classes * samplesPerClass * features);
  const labels = new Int32Array(classes * samplesPerClass);
  const cloud = (centre: readonly number[], spread: number): number[] => centre.map((c) => c + spread * normal());
  const origin = Array.from({ length: features }, () => 0);
  let sample = 0;
  for (let s = 0; s < superClasses; s++) {
    const superCentre = cloud(origin, superClassSpread);
    for (let c = 0; c < classesPerSuperClass; c++) {
      const centre = cloud(superCentre, classSpread);
      for (let i = 0; i < samplesPerClass; i++, sample++) {
        inputs.set(cloud(centre, 1), sample * features);
        labels[sample] = s * classesPerSuperClass + c;
      }
    }
  }
  return {
    name: "synthetic",
    shape: [features],
    inputs,
    labels,
    classNames: Array.from(
      { length: classes },
      (_, c) => `${Math.floor(c / classesPerSuperClass)}.${c % classesPerSuperClass}`,
    ),
    superClassOf: Int32Array.from({ length: classes }, (_, c) => Math.floor(c / classesPerSuperClass)),
    testFrom: null,
  };
}

/**
 * Makes the sample that `npm start` evaluates: scores.npy and labels.npy, 64 samples of 20 classes.
 *
 * The logits are those of an imagined classifier of 5 groups of 4 classes each: it likes the right class, nearly
 * as much the right group, and is now and then wrong about the group too. Seeded: every run makes the same bytes.
 */
import { writeFileSync } from "node:fs";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

const SAMPLES = 64;
const CLASSES = 20;
const GROUP = 4;
const generator = xoroshiro128plus(2018);
const uniform = () => uniformFloat64(generator);
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

function npy(array, descr, shape) {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = `${header.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from(Uint16Array.of(padded.length).buffer),
    Buffer.from(padded, "latin1"),
    Buffer.from(array.buffer),
  ]);
}

const scores = new Float32Array(SAMPLES * CLASSES);
const labels = new Int32Array(SAMPLES);
for (let b = 0; b < SAMPLES; b++) {
  const label = uniformInt(generator, 0, CLASSES - 1);
  const seen = uniform() < 0.85 ? label : uniformInt(generator, 0, CLASSES - 1);
  labels[b] = label;
  for (let i = 0; i < CLASSES; i++) {
    const sameGroup = Math.floor(i / GROUP) === Math.floor(seen / GROUP);
    scores[b * CLASSES + i] = normal() + (i === seen ? 2 : 0) + (sameGroup ? 2 : 0);
  }
}
writeFileSync(new URL("scores.npy", import.meta.url), npy(scores, "<f4", `${SAMPLES}, ${CLASSES}`));
writeFileSync(new URL("labels.npy", import.meta.url), npy(labels, "<i4", `${SAMPLES},`));

/**
 * `npm run sample`: evaluates the sample and says what each number means.
 */
import { fileURLToPath } from "node:url";
import { evaluate } from "../dist/evaluate.js";

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const common = {
  scores: at("scores.npy"),
  labels: at("labels.npy"),
  k: [5],
  tau: 1,
  alpha: 1,
  reduction: "mean",
  backend: "cpu",
};
const smooth = await evaluate({ ...common, loss: "smooth-topk" });
const cold = await evaluate({ ...common, loss: "smooth-topk", tau: 0.01 });
const hard = await evaluate({ ...common, loss: "topk" });
const crossEntropy = await evaluate({ ...common, loss: "cross-entropy" });
const percent = (fraction) => `${(100 * fraction).toFixed(1)} %`;

console.log(`smooth-topk on its sample: the scores of an imagined classifier, ${smooth.batch} samples of ${smooth.n} classes.

  top-1 accuracy          ${percent(smooth.top1).padStart(8)}   the label has the best score
  top-5 accuracy          ${percent(smooth.topk).padStart(8)}   the label is among the five best: what a top-5 loss trains for

  cross-entropy           ${crossEntropy.loss.toFixed(6)}   asks that the label be the best
  smooth top-5, tau = 1   ${smooth.loss.toFixed(6)}   asks that it be among the five best, by a margin; smooth everywhere
  smooth top-5, tau = 0.01 ${cold.loss.toFixed(6)}  the same, colder: close to its limit,
  hard top-5              ${hard.loss.toFixed(6)}   max(0, 1 + (fifth best other score - label's score) / 5), with kinks

Each loss is a mean over the samples, exact to its last digits. On your own scores, exported from PyTorch by
np.save("logits.npy", logits.numpy()) and np.save("labels.npy", labels.numpy()):

  npx smooth-topk eval --scores logits.npy --labels labels.npy --k 5 --tau 1 --grad grad.npy

grad.npy is then the gradient of the loss in every score: compare it with logits.grad of your own implementation.
Try it here:

  npx smooth-topk eval --scores tools/cli/sample/scores.npy --labels tools/cli/sample/labels.npy`);

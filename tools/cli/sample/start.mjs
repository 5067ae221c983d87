/**
 * `npm start`: the experiment of the paper in small, on the embedded data set, and where to go from there.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../bin/smooth-topk.js", import.meta.url));
const options =
  "train --noise 0,0.5,1 --seeds 3 --epochs 10 --learning-rate 0.005,0.03 --save --out results/start".split(" ");

console.log(`smooth-topk: does a loss made for the top 5 stand noisy labels better than cross-entropy?

50 classes in 10 super-classes, a small network, three losses. With probability \`noise\` a training label is drawn again within its
super-class; the test has true labels. 108 short runs, about a minute on two cores; stopped and started again, it goes on.

  npx smooth-topk ${options.join(" ")}
`);
const { status } = spawnSync(process.execPath, [command, ...options], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
console.log(`
Top-5 accuracy is what the top-5 losses train for; top-1 is what they give up. Next:

  open results/start/report.html                      the same as figures, beside the paper's own for CIFAR-100
  npx smooth-topk train --help                        your data: folders or archives of images, CIFAR-100, feature matrices
  npx smooth-topk eval \\                              a loss, its accuracies and its gradient, of one of the models just trained:
    --scores results/start/models/smooth-topk-noise-1-fraction-1-seed-1.safetensors:test_scores \\
    --labels results/start/models/smooth-topk-noise-1-fraction-1-seed-1.safetensors:test_labels
  npm run sample                                      what each number of eval means, on scores that come with it`);

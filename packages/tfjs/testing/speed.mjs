/**
 * Loss and gradient against `tf.losses.softmaxCrossEntropy` on the same backend, in turns: medians in milliseconds and their ratio.
 * Batch 256, n = 1000, k = 5, one thread. After `npm run build`: `npm run bench -w @smooth-topk/tfjs`.
 */
import { smoothTopkLoss } from "@smooth-topk/tfjs";
import "@tensorflow/tfjs-backend-cpu";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";

const [batch, n, k] = [256, 1000, 5];
setThreadsCount(1);
for (const [backend, rounds] of /** @type {const} */ ([
  ["wasm", 40],
  ["cpu", 9],
])) {
  await tf.setBackend(backend);
  await tf.ready();
  const scores = tf.randomNormal([batch, n], 0, 3, "float32", 1);
  const labels = tf.randomUniform([batch], 0, n, "int32", 2);
  const oneHot = tf.cast(tf.oneHot(labels, n), "float32");
  const contenders = [
    tf.valueAndGrad((s) => tf.losses.softmaxCrossEntropy(oneHot, s)),
    tf.valueAndGrad((s) => smoothTopkLoss(labels, s, { k })),
  ];
  const times = contenders.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < rounds; round++) {
    contenders.forEach((contender, i) => {
      const start = performance.now();
      const { value, grad } = contender(scores);
      value.dataSync();
      grad.dataSync();
      times[i].push(performance.now() - start);
      tf.dispose([value, grad]);
    });
  }
  const [base, ours] = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
  console.log(
    `${backend}: cross-entropy ${base.toFixed(1)} ms, smooth ${ours.toFixed(1)} ms, ${(ours / base).toFixed(2)} times`,
  );
}

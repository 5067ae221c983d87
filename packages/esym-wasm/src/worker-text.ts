/**
 * What a worker runs, as text: a package that is to work without a bundler's help has no file to point a worker at.
 *
 * It waits for a job, claims chunks of rows until none is left, and waits again. `words` are the places of the control words,
 * from row-threads.ts. Plain JavaScript, for Node's workers and those of browsers.
 */
export const WORKER_TEXT = `
const serve = async ({ module, memory, thread, words }, post) => {
  const { GENERATION, LEFT, DONE, FAILED, BAD_ROW, STOPPED, WORDS } = words;
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, rowWeight: () => 1 } });
  const control = new Int32Array(memory.buffer, 0, WORDS);
  let generation = Atomics.load(control, GENERATION);
  post("ready");
  for (;;) {
    Atomics.wait(control, GENERATION, generation);
    generation = Atomics.load(control, GENERATION);
    if (generation === STOPPED) return;
    for (;;) {
      const chunk = Atomics.sub(control, LEFT, 1) - 1;
      if (chunk < 0) break;
      try {
        const bad = exports.runJob(chunk, thread);
        if (bad >= 0) Atomics.store(control, BAD_ROW, bad);
      } catch {
        Atomics.store(control, FAILED, 1);
      }
      Atomics.add(control, DONE, 1);
    }
  }
};
if (typeof self === "undefined") {
  const { parentPort } = require("node:worker_threads");
  parentPort.once("message", (data) => serve(data, (text) => parentPort.postMessage(text)));
} else {
  self.onmessage = ({ data }) => serve(data, (text) => self.postMessage(text));
}
`;

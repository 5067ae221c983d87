/**
 * A port that answers {"id", "output": {}} to every request, but for one way to misbehave, given as its argument.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , behaviour] = process.argv;
const say = (line) => process.stdout.write(`${line}\n`);
const answer = (id) => say(JSON.stringify({ id, output: {} }));
const kept = [];

/** What happens at the third request, or from there on. */
const atThird = {
  hang: () => setInterval(() => {}, 1000),
  crash: () => process.exit(3),
  "crash-with-words": () => {
    console.error("a trace\nout of memory");
    process.exit(3);
  },
  abort: () => process.kill(process.pid, "SIGKILL"),
  garbage: () => say("Segmentation fault?"),
  array: (id) => say(JSON.stringify([id])),
  "text-id": (id) => say(JSON.stringify({ id: String(id), output: {} })),
  "no-id": () => say(JSON.stringify({ output: {} })),
  skip: () => {},
  twice: (id) => [id, id].map(answer),
  "crash-half-way": () => {
    writeSync(1, '{"id": 3, "outp');
    process.exit(0);
  },
  "huge-line": () => process.stdout.write("x".repeat(2 ** 23)),
};

if (behaviour === "exit") process.exit(1);
if (behaviour === "silent") setInterval(() => {}, 1000);
if (behaviour === "banner") say("Loading the model ...");

let isHung = false;
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { id } = JSON.parse(line);
    if (isHung || behaviour === "silent") return;
    if (behaviour === "buffered") kept.push(id);
    else if (behaviour === "late") {
      kept.push(id);
      if (kept.length === 3) for (const k of kept.splice(0).reverse()) answer(k);
    } else if (id === 3 && behaviour in atThird) {
      atThird[behaviour](id);
      isHung = behaviour === "hang";
    } else answer(id);
  })
  .on("close", () => kept.forEach(answer));

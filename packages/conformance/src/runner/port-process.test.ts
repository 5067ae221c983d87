import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Failure, Request } from "./port.ts";
import { CannotStart, PortProcess, type ProcessOptions } from "./port-process.ts";

const SCRIPT = fileURLToPath(new URL("../../testing/misbehaving-port.mjs", import.meta.url));
const requests = (count: number): Request[] =>
  Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    function: "log_esp",
    dtype: "float64",
    input: { x: [[0]], k: 1 },
  }));

interface Outcome {
  readonly kinds: (Failure | "answer")[];
  readonly details: string[];
}

async function ask(command: string[], options: ProcessOptions = {}, count = 6): Promise<Outcome> {
  const port = new PortProcess(command, { timeout: 1, ...options });
  const replies = await port.exchange(requests(count), true);
  port.close();
  return {
    kinds: replies.map(({ failure }) => failure ?? "answer"),
    details: replies.flatMap((reply) => (reply.failure === undefined ? [] : [reply.detail])),
  };
}

const right = (count: number): "answer"[] => new Array<"answer">(count).fill("answer");
/** Six answers, but for the third. */
const third = (failure: Failure): (Failure | "answer")[] => [...right(2), failure, ...right(3)];

describe("a port behind a command", () => {
  it.each<[behaviour: string, kinds: (Failure | "answer")[], detail: RegExp]>([
    ["answers", right(6), /^$/],
    ["buffered", right(6), /^$/],
    ["twice", right(6), /^$/],
    ["hang", third("timeout"), /^no answer in 1 s$/],
    ["crash", third("crash"), /^the port ended with exit status 3$/],
    [
      "crash-with-words",
      third("crash"),
      /^the port ended with exit status 3, last on its standard error: out of memory$/,
    ],
    ["abort", third("crash"), /^the port ended with signal SIGKILL$/],
    ["garbage", third("garbage"), /^answered "Segmentation fault\?", expected a JSON object$/],
    ["array", third("garbage"), /^answered "\[3\]", expected a JSON object$/],
    ["text-id", third("garbage"), /^answered with id "3", expected 3$/],
    ["no-id", third("garbage"), /^answered with id null, expected 3$/],
    ["skip", third("missing"), /^not answered, though later requests were$/],
    ["crash-half-way", third("crash"), /^the port ended with exit status 0$/],
    ["huge-line", third("crash"), /^the port ended with a line of more than \d+ characters$/],
    ["late", ["order", "order", "answer", "order", "order", "answer"], /^answered after a later request$/],
    ["banner", ["garbage", ...right(5)], /^answered "Loading the model \.\.\.", expected a JSON object$/],
  ])("that is one of kind %s costs the cases it concerns", async (behaviour, kinds, detail) => {
    const outcome = await ask([process.execPath, SCRIPT, behaviour]);
    expect(outcome.kinds).toEqual(kinds);
    for (const words of outcome.details) expect(words).toMatch(detail);
  });

  it.each<[behaviour: string, failure: Failure, startTimeout: number]>([
    ["exit", "crash", 20],
    ["silent", "timeout", 0.5],
  ])("that never answers (%s) is started once", async (behaviour, failure, startTimeout) => {
    const { kinds, details } = await ask([process.execPath, SCRIPT, behaviour], { startTimeout });
    expect(kinds).toEqual([failure, ...new Array<Failure>(5).fill("not-run")]);
    expect(details[1]).toBe("not asked: the port answered nothing at all");
  });

  // Each process answers two requests and hangs at its third: ids go on, so only the first process meets number 3.
  it("that hangs again and again is given up", async () => {
    const hangs = `let seen = 0; setInterval(() => {}, 1000); require("node:readline").createInterface({input: process.stdin})
      .on("line", (line) => { if (++seen < 3) console.log(JSON.stringify({ id: JSON.parse(line).id, output: {} })); })`;
    const { kinds, details } = await ask([process.execPath, "-e", hangs], {}, 12);
    const round: (Failure | "answer")[] = ["answer", "answer", "timeout"];
    expect(kinds).toEqual([...round, ...round, ...round, "not-run", "not-run", "not-run"]);
    expect(details.at(-1)).toBe("not asked: the port had hung 3 times");
  });

  it("ends together with what it has started", async () => {
    const { kinds } = await ask(["sh", "-c", "sleep 1000; true"], { startTimeout: 0.3 });
    expect(kinds[0]).toBe("timeout");
  });

  it("that does not exist is a mistake of the caller", async () => {
    await expect(ask(["no-such-program"])).rejects.toThrow(CannotStart);
  });

  it("stays open between exchanges, until the last one", async () => {
    const port = new PortProcess([process.execPath, SCRIPT, "answers"]);
    const [one, two, three] = requests(3);
    for (const request of [one, two]) {
      expect(await port.exchange([request], false)).toEqual([{ answer: { id: request.id, output: {} } }]);
    }
    expect(await port.exchange([three], true)).toEqual([{ answer: { id: 3, output: {} } }]);
    port.close();
  });
});

/**
 * Requests that are no requests: the service answers each line by one line, under the same id, and lives on.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Area, Family, Judged, Random } from "./area.ts";
import { corrupted } from "./corruption.ts";
import { withoutParts } from "./shrink.ts";

export interface LineCase {
  readonly line: string;
}

/** Milliseconds. */
const LONGEST = 5000;
const SERVICE = fileURLToPath(new URL("../../cli/bin/smooth-topk.js", import.meta.url));

const odd = [null, true, "x", -1, 0, 1.5, 1e308, "NaN", "Infinity", "-Infinity", [], {}, [[]], [1, [2]]];

function request(random: Random): Record<string, unknown> {
  const n = random.integer(2, 6);
  const scores = [Array.from({ length: n }, () => random.normal())];
  const input = { scores, labels: [random.integer(0, n - 1)], k: random.integer(1, n - 1), tau: 1, alpha: 1 };
  return { id: random.integer(1, 1000), function: "smooth_topk_loss", dtype: "float64", input };
}

const families: readonly Family<LineCase>[] = [
  {
    name: "one odd value",
    draw: (random) => {
      const whole = request(random);
      const input = whole["input"] as Record<string, unknown>;
      const target = random.pick([whole, input]);
      target[random.pick(Object.keys(target))] = random.pick(odd);
      return { line: JSON.stringify(whole) };
    },
  },
  {
    name: "damaged line",
    draw: (random) => {
      const bytes = corrupted(Buffer.from(JSON.stringify(request(random))), random);
      return {
        line: Buffer.from(bytes)
          .toString("latin1")
          .replaceAll(/[\r\n]/g, " "),
      };
    },
  },
  {
    name: "deep or long",
    draw: (random) => ({ line: random.pick(["[", '{"id":', "1", '"', "-"]).repeat(random.integer(1, 20_000)) }),
  },
];

/** A child that answers line by line. */
function startService() {
  const child = spawn(process.execPath, [SERVICE, "stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line: string): Promise<string | null> => {
      const late = new Promise<null>((done) => setTimeout(done, LONGEST, null).unref());
      child.stdin.write(`${line}\n`);
      const answer = await Promise.race([answers.next(), late]);
      return answer === null || answer.done === true ? null : answer.value;
    },
    stop: () => child.kill(),
  };
}

export function stdioArea(): Area<LineCase> {
  let service = startService();
  return {
    families,
    close: () => service.stop(),
    judge: async ({ line }): Promise<Judged> => {
      if (line.trim() === "") return { used: 0, reason: "" };
      const answer = await service.ask(line);
      if (answer === null) {
        service.stop();
        service = startService();
        return { used: Infinity, reason: `no answer in ${LONGEST} ms` };
      }
      const reason = faultOf(line, answer);
      return { used: reason === "" ? 0 : Infinity, reason };
    },
    *simpler({ line }) {
      for (const characters of withoutParts(line.split(""))) yield { line: characters.join("") };
    },
  };
}

function faultOf(line: string, answer: string): string {
  let parsed: { id?: unknown; output?: { loss?: unknown[] }; error?: unknown };
  try {
    parsed = JSON.parse(answer) as typeof parsed;
  } catch {
    return `the answer is no JSON: ${answer.slice(0, 100)}`;
  }
  if ((parsed.output === undefined) === (parsed.error === undefined)) return `neither output nor error: ${answer}`;
  if (parsed.output?.loss?.some((loss) => loss === null || loss === "NaN") === true)
    return `a loss that is none: ${answer}`;
  try {
    const { id } = JSON.parse(line) as { id?: unknown };
    if (typeof id === "number" && Number.isSafeInteger(id) && parsed.id !== id)
      return `id ${String(parsed.id)} for ${id}`;
  } catch {
    // Of a line that is no JSON nobody knows the id.
  }
  return "";
}

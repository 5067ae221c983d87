/**
 * `smooth-topk conformance`: judges a port in any language by the vectors. Exit status 0 if all is within tolerance, 1
 * if not, 2 if it was asked wrongly.
 */
import { writeFileSync } from "node:fs";
import { DTYPES, type Dtype, type FunctionName, FUNCTIONS } from "@smooth-topk/conformance";
import {
  CannotStart,
  type ConformanceOptions,
  fuzz,
  type FuzzRun,
  junitReport,
  loadVectors,
  PortProcess,
  reportPage,
  reportTable,
  runConformance,
} from "@smooth-topk/conformance/runner";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import { Command, Option } from "commander";
import { numeric } from "./numeric.ts";

const FAILED = 1;

interface ConformanceFlags {
  readonly dtype?: Dtype[];
  readonly functions?: FunctionName[];
  readonly rtol?: number;
  readonly atol?: number;
  readonly junit?: string;
  readonly filter?: string;
  readonly timeout: number;
  readonly json?: boolean;
  readonly html?: string;
  readonly fuzz?: number;
  readonly seed?: number;
}

export function conformanceCommand(): Command {
  return new Command("conformance")
    .description("Judge a port of the losses, in any language, by the test vectors.")
    .usage("[options] -- <command> [arg ...]")
    .argument("<command...>", "starts the port, which speaks the protocol of `smooth-topk stdio`")
    .addOption(new Option("--dtype <name...>", "only these precisions, none of which may be left out").choices(DTYPES))
    .addOption(new Option("--functions <name...>", "only these, none of which may be left out").choices(FUNCTIONS))
    .option("--rtol <r>", "a bar of your own: within atol + rtol |expected|", numeric("--rtol"))
    .option("--atol <a>", "see --rtol; either may be left out, which makes it 0", numeric("--atol"))
    .option("--filter <pattern>", "only cases whose id, function or flags match this regular expression")
    .option(
      "--timeout <seconds>",
      "for each answer; the first of a process gets 30 if that is more",
      numeric("--timeout"),
      10,
    )
    .option("--json", "print one JSON object")
    .option("--junit <file>", "write the results as JUnit XML")
    .option("--html <file>", "write a page with the distribution of the errors")
    .option(
      "--fuzz <n>",
      "draw n new cases in place of the vectors, judged by the oracle (needs gmp-wasm)",
      numeric("--fuzz"),
    )
    .option("--seed <s>", "of --fuzz: the same seed draws the same cases; by default the time", numeric("--seed"))
    .action(run);
}

async function run(command: string[], flags: ConformanceFlags): Promise<void> {
  const { dtype: dtypes, functions, timeout, html, junit, rtol, atol } = flags;
  if (!(timeout > 0 && timeout < 1e6)) throw new BadInput(`--timeout: ${timeout} is not a number of seconds > 0`);
  const filter = pattern(flags.filter);
  for (const [flag, value] of [["--rtol", rtol] as const, ["--atol", atol] as const]) {
    if (value !== undefined && !(value >= 0 && value < Infinity))
      throw new BadInput(`${flag}: ${value} is not a number >= 0`);
  }
  const bar = rtol === undefined && atol === undefined ? undefined : { rtol: rtol ?? 0, atol: atol ?? 0 };
  const found = await judged(command, flags, { dtypes, functions, filter, bar });
  const { outcomes: _, ...report } = found;
  if (junit !== undefined) writePage("--junit", junit, junitReport(found));
  if (html !== undefined) writePage("--html", html, reportPage(found, command.join(" ")));
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : reportTable(report) + counterExampleText(found));
  if (!found.passed) process.exitCode = FAILED;
}

async function judged(
  command: string[],
  { timeout, fuzz: count, seed = count === undefined ? undefined : Date.now() % 2 ** 31 }: ConformanceFlags,
  selection: ConformanceOptions,
): Promise<FuzzRun> {
  const ports: PortProcess[] = [];
  const openPort = (): PortProcess => {
    const port = new PortProcess(command, { timeout });
    ports.push(port);
    return port;
  };
  try {
    if (count === undefined) {
      if (seed !== undefined) throw new BadInput("--seed: is of --fuzz, which is missing");
      return await runConformance(openPort(), loadVectors(), selection);
    }
    for (const [flag, value, least] of [
      ["--fuzz", count, 1],
      ["--seed", seed, 0],
    ] as const) {
      if (!Number.isSafeInteger(value) || (value as number) < least) {
        throw new BadInput(`${flag}: ${value} is not an integer >= ${least}`);
      }
    }
    process.stderr.write(`smooth-topk: --seed ${seed} draws these cases again\n`);
    return await fuzz(openPort, { ...selection, count, seed: seed as number });
  } catch (error) {
    if (error instanceof CannotStart) throw new BadInput(error.message);
    if (error instanceof Error && error.message.includes("gmp-wasm")) {
      throw new BadInput("--fuzz: the oracle needs gmp-wasm: npm install gmp-wasm");
    }
    throw error;
  } finally {
    for (const port of ports) port.close();
  }
}

function counterExampleText({ counterExample }: FuzzRun): string {
  if (counterExample === undefined) return "";
  const { reason, tried, text, dtype } = counterExample;
  return `\ncounter-example in ${dtype}, the smallest of ${tried + 1} tried: ${reason}\n\n${text}\n`;
}

function writePage(flag: string, path: string, page: string): void {
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw new BadInput(`${flag}: ${path}: ${systemReason(error)}`);
  }
}

function pattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    throw new BadInput(`--filter: ${(error as Error).message}`);
  }
}

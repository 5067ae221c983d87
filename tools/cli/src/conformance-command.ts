/**
 * `smooth-topk conformance`: judges a port in any language by the vectors. Exit status 0 if all is within tolerance, 1
 * if not, 2 if it was asked wrongly.
 */
import { DTYPES, type Dtype } from "@smooth-topk/conformance";
import { CannotStart, loadVectors, PortProcess, reportTable, runConformance } from "@smooth-topk/conformance/runner";
import { BadInput } from "@smooth-topk/array-files";
import { Command, Option } from "commander";
import { numeric } from "./numeric.ts";

const FAILED = 1;

interface ConformanceFlags {
  readonly dtype?: Dtype[];
  readonly filter?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

export function conformanceCommand(): Command {
  return new Command("conformance")
    .description("Judge a port of the losses, in any language, by the test vectors.")
    .usage("[options] -- <command> [arg ...]")
    .argument("<command...>", "starts the port, which speaks the protocol of `smooth-topk stdio`")
    .addOption(new Option("--dtype <name...>", "only these precisions, none of which may be left out").choices(DTYPES))
    .option("--filter <pattern>", "only cases whose id, function or flags match this regular expression")
    .option(
      "--timeout <seconds>",
      "for each answer; the first of a process gets 30 if that is more",
      numeric("--timeout"),
      10,
    )
    .option("--json", "print one JSON object")
    .action(run);
}

async function run(command: string[], flags: ConformanceFlags): Promise<void> {
  if (!(flags.timeout > 0 && flags.timeout < 1e6)) {
    throw new BadInput(`--timeout: ${flags.timeout} is not a number of seconds > 0`);
  }
  const port = new PortProcess(command, { timeout: flags.timeout });
  try {
    const { outcomes: _, ...report } = await runConformance(port, loadVectors(), {
      dtypes: flags.dtype,
      filter: pattern(flags.filter),
    });
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : reportTable(report));
    if (!report.passed) process.exitCode = FAILED;
  } catch (error) {
    if (error instanceof CannotStart) throw new BadInput(error.message);
    throw error;
  } finally {
    port.close();
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

/**
 * The command line: arguments, exit statuses, signals. 0 is done, 2 is bad input with one line on standard error.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { checkBackend } from "./backends.ts";
import { BadInput } from "./bad-input.ts";
import { evaluate, type EvaluateOptions, LOSSES, REDUCTIONS } from "./evaluate.ts";
import { removeUnfinished } from "./npy-writer.ts";
import { report } from "./report.ts";
import { serve } from "./stdio.ts";

const BAD_INPUT = 2;
const FAILED = 1;
const INTERRUPTED = 130;

function numeric(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isNaN(value)) throw new BadInput(`${flag}: ${JSON.stringify(text)} is not a number`);
    return value;
  };
}

function backendOption(): Option {
  return new Option("--backend <name>", "where to compute: cpu, gpu, webasm or webgpu").default("cpu");
}

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("smooth-topk")
  .description("Smooth top-k classification losses, exact to the last digits.")
  .version(version)
  .showSuggestionAfterError(false)
  .exitOverride()
  .configureOutput({ writeErr: () => {} });

program
  .command("eval")
  .description("Loss, top-1 and top-k accuracy, and the gradient, of a file of scores.")
  .requiredOption("--scores <file>", "scores (batch, n): .npy, .safetensors[:tensor] or .csv")
  .requiredOption("--labels <file>", "labels (batch,), integers: .npy, .safetensors[:tensor] or .csv")
  .option("--k <k>", "guesses that the loss allows, 1 to n - 1", numeric("--k"), 5)
  .option("--tau <tau>", "temperature, > 0", numeric("--tau"), 1)
  .option("--alpha <alpha>", "margin", numeric("--alpha"), 1)
  .addOption(new Option("--loss <name>", "which loss").choices(LOSSES).default("smooth-topk"))
  .addOption(new Option("--reduction <name>", "what the loss and --grad are of").choices(REDUCTIONS).default("mean"))
  .addOption(backendOption())
  .option("--grad <out.npy>", "write the gradient of the printed loss in the scores, float64 (batch, n)")
  .option("--per-sample <out.npy>", "write the loss of each sample, float64 (batch,)")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nWith the mean, each row of --grad is the gradient of that sample's loss divided by the number of samples.",
  )
  .action(async (options: EvaluateOptions & { json?: boolean }) => {
    checkBackend(options.backend);
    const result = await evaluate(options);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : report(options, result));
  });

program
  .command("stdio")
  .description("Serve the port protocol: a JSON request a line in, a JSON answer a line out.")
  .addOption(backendOption())
  .action(async ({ backend }: { backend: string }) => {
    checkBackend(backend);
    await serve(process.stdin, process.stdout);
  });

for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });

function fail(message: string, status: number): void {
  process.stderr.write(`smooth-topk: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
  process.exitCode = status;
}

/** A reader that has seen enough (`| head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  removeUnfinished();
  process.exit(0);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    removeUnfinished();
    process.exit(INTERRUPTED);
  });
}

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  removeUnfinished();
  if (error instanceof BadInput) fail(error.message, BAD_INPUT);
  else if (error instanceof CommanderError) {
    if (error.exitCode !== 0) fail(error.message.replace(/^error: /, ""), BAD_INPUT);
  } else fail(`unexpected failure: ${error instanceof Error ? error.message : String(error)}`, FAILED);
}

/**
 * The command line: arguments, exit statuses, signals. 0 is done, 2 is bad input with one line on standard error.
 */
import { Command, CommanderError } from "commander";
import { BadInput, removeUnfinished, systemReason } from "@smooth-topk/array-files";
import { conformanceCommand } from "./conformance-command.ts";
import { evalCommand } from "./eval-command.ts";
import { isEnding } from "./interruption.ts";
import { stdioCommand } from "./stdio-command.ts";
import { trainCommand } from "./train-command.ts";
import { VERSION } from "./version.ts";

const BAD_INPUT = 2;
const FAILED = 1;
const INTERRUPTED = 130;

const program = new Command("smooth-topk")
  .description("Smooth top-k classification losses, exact to the last digits.")
  .version(VERSION)
  .showSuggestionAfterError(false)
  .exitOverride()
  .configureOutput({ writeErr: () => {} })
  .addCommand(evalCommand())
  .addCommand(stdioCommand())
  .addCommand(conformanceCommand())
  .addCommand(trainCommand());

for (const command of program.commands) command.copyInheritedSettings(program);

function fail(message: string, status: number): void {
  process.stderr.write(`smooth-topk: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
  process.exitCode = status;
}

/** A reader that has seen enough (`| head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  removeUnfinished();
  if (error.code !== "EPIPE") {
    process.stderr.write(`smooth-topk: standard output: ${systemReason(error)}\n`);
    process.exit(BAD_INPUT);
  }
  process.exit(0);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (isEnding()) return;
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

/**
 * `smooth-topk eval`: its options.
 */
import { Command, Option } from "commander";
import { backendOption, LOSSES } from "./backends.ts";
import { evaluate, type EvaluateOptions, REDUCTIONS } from "./evaluate.ts";
import { numeric } from "./numeric.ts";
import { report } from "./report.ts";

export function evalCommand(): Command {
  return new Command("eval")
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
      const result = await evaluate(options);
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : report(options, result));
    });
}

/**
 * `smooth-topk eval`: its options.
 */
import { LABEL_KINDS } from "@smooth-topk/array-files";
import { Command, Option } from "commander";
import { backendOption, LOSSES } from "./backends.ts";
import { evaluate, type EvaluateOptions, REDUCTIONS } from "./evaluate.ts";
import { integer, numeric, numericList, yesOrNo } from "./numeric.ts";
import { report } from "./report.ts";

const FILES = ".npy, .npz:array, .safetensors:tensor, .parquet:column, .csv, or - for standard input";

export function evalCommand(): Command {
  return new Command("eval")
    .description("Loss, top-1 and top-k accuracy, and the gradient, of a file of scores.")
    .requiredOption("--scores <file>", `scores (batch, n), or (n,) of one sample: ${FILES}`)
    .requiredOption("--labels <file>", "labels (batch,), integers, in a file of the same kinds")
    .addOption(
      new Option(
        "--labels-as <kind>",
        "one-hot: a row of one-hot or probability values for each sample, of which the largest counts",
      )
        .choices(LABEL_KINDS)
        .default("index"),
    )
    .option("--ignore-index <label>", "samples with this label do not count", integer("--ignore-index"))
    .option("--weights <file>", "a weight >= 0 for each sample, in a file of the same kinds")
    .option("--k <k>", "guesses that the loss allows, 1 to n - 1; several between commas", numericList("--k"), [5])
    .option("--tau <tau>", "temperature, > 0", numeric("--tau"), 1)
    .option("--alpha <alpha>", "margin", numeric("--alpha"), 1)
    .addOption(new Option("--loss <name>", "which loss").choices(LOSSES).default("smooth-topk"))
    .addOption(
      new Option(
        "--reduction <name>",
        "what the loss and --grad are of; none: each sample's own, by --json or --per-sample",
      )
        .choices(REDUCTIONS)
        .default("mean"),
    )
    .addOption(backendOption())
    .option("--threads <count>", "threads that compute on --backend cpu (default: the cores)", integer("--threads", 1))
    .option("--grad <out.npy>", "write the gradient of the printed loss in the scores, float64 (batch, n)")
    .option("--per-sample <out.npy>", "write the loss of each sample, float64 (batch,)")
    .option("--force", "replace files that exist")
    .option(
      "--header <yes|no>",
      "whether the first line of .csv is a heading, where it leaves that open",
      yesOrNo("--header"),
    )
    .option("--index-column <yes|no>", "whether the first column of .csv holds row names", yesOrNo("--index-column"))
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nWith the mean, each row of --grad is the gradient of that sample's loss divided by the number of samples\n(by the sum of their weights).",
    )
    .action(async (options: EvaluateOptions & { json?: boolean }) => {
      const notes: string[] = [];
      const result = await evaluate(options, (text) => notes.push(text));
      for (const text of notes) process.stderr.write(`smooth-topk: ${text}\n`);
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : report(options, result));
    });
}

/**
 * `smooth-topk train`: its options. What it runs is loaded only when it is called.
 */
import { BadInput } from "@smooth-topk/array-files";
import type { LossName, ModelName } from "@smooth-topk/train";
import { Command } from "commander";
import { backendOption, messageOf, openBackend } from "./backends.ts";
import { endInGoodOrder } from "./interruption.ts";
import { numberIn, numbersIn } from "./number-list.ts";
import { watchTraining } from "./train-progress.ts";

interface TrainOptions {
  readonly data: string;
  readonly labels?: string;
  readonly superClasses?: string;
  readonly imageSize: number;
  readonly loss: string;
  readonly noise: number[];
  readonly fraction: number[];
  readonly seeds: number;
  readonly k: number;
  readonly alpha: number;
  readonly tau: number[];
  readonly learningRate: number[];
  readonly model: string;
  readonly hidden: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly out: string;
  readonly reference?: string;
  readonly save?: boolean;
  readonly backend: string;
  readonly json?: boolean;
}

export function trainCommand(): Command {
  return new Command("train")
    .description("Train with each loss under label noise and on little data, and report how the losses compare.")
    .option(
      "--data <data>",
      "synthetic, a folder of CIFAR-100's .bin files, a folder or .zip of super-class/class/image, or a .npy or .safetensors matrix of features",
      "synthetic",
    )
    .option("--labels <file>", "labels of a feature matrix: .npy, .safetensors[:tensor] or .csv")
    .option("--super-classes <file>", "super-class of each class of a feature matrix")
    .option(
      "--image-size <pixels>",
      "side of the squares that images are brought to",
      numberIn("--image-size", { integer: true, atLeast: 4, atMost: 1024 }),
      28,
    )
    .option("--loss <names>", "cross-entropy, smooth-topk, topk, between commas", "cross-entropy,smooth-topk,topk")
    .option(
      "--noise <list>",
      "probabilities that a label is drawn again within its super-class",
      numbersIn("--noise", { atLeast: 0, atMost: 1 }),
      [0, 0.5, 1],
    )
    .option(
      "--fraction <list>",
      "fractions of the training samples",
      numbersIn("--fraction", { above: 0, atMost: 1 }),
      [1],
    )
    .option(
      "--seeds <count>",
      "repetitions, with seeds 1, 2, ...",
      numberIn("--seeds", { integer: true, atLeast: 1, atMost: 10_000 }),
      3,
    )
    .option(
      "--k <k>",
      "guesses that the top-k losses allow and the accuracy counts",
      numberIn("--k", { integer: true, atLeast: 1 }),
      5,
    )
    .option("--alpha <alpha>", "margin", numberIn("--alpha", { atLeast: 0 }), 1)
    .option("--tau <list>", "temperatures that validation chooses among", numbersIn("--tau", { above: 0 }), [0.1, 1])
    .option(
      "--learning-rate <list>",
      "learning rates that validation chooses among, times k for the top-k losses",
      numbersIn("--learning-rate", { above: 0 }),
      [0.02, 0.1],
    )
    .option("--model <name>", "linear, mlp or conv", "mlp")
    .option("--hidden <units>", "hidden units of the mlp", numberIn("--hidden", { integer: true, atLeast: 1 }), 64)
    .option(
      "--epochs <count>",
      "passes over the training samples",
      numberIn("--epochs", { integer: true, atLeast: 1 }),
      20,
    )
    .option("--batch-size <samples>", "samples of a step", numberIn("--batch-size", { integer: true, atLeast: 1 }), 32)
    .option(
      "--momentum <momentum>",
      "of Nesterov's method",
      numberIn("--momentum", { atLeast: 0, atMost: 0.9999 }),
      0.9,
    )
    .option("--weight-decay <decay>", "L2 penalty", numberIn("--weight-decay", { atLeast: 0 }), 1e-4)
    .requiredOption(
      "--out <folder>",
      "results.json, report.html and runs.jsonl are written there; the same command goes on where it was stopped",
    )
    .option("--reference <file>", "a JSON table of accuracies from elsewhere that the report draws beside its own")
    .option("--save", "keep the chosen models, with test scores that `smooth-topk eval` reads")
    .addOption(backendOption())
    .option("--json", "print one JSON object instead of the table")
    .addHelpText(
      "after",
      "\nTemperature and learning rate are chosen on validation, with as many candidates for each loss. A second command with\nother losses, noises, fractions or seeds adds to a folder; other data or settings need another folder.",
    )
    .action(train);
}

async function train(options: TrainOptions): Promise<void> {
  const { LOSSES, MODELS, resultTable, runExperiment, verdict } = await import("@smooth-topk/train");
  const losses = [...new Set(options.loss.split(","))].map((name) => oneOf("--loss", name, LOSSES));
  const model: ModelName = oneOf("--model", options.model, MODELS);
  const backend = await openBackend(options.backend);
  const stop = new AbortController();
  endInGoodOrder(() => stop.abort());
  const watcher = watchTraining(options.k);
  let results;
  try {
    results = await runExperiment(
      {
        data: options.data,
        labels: options.labels,
        superClasses: options.superClasses,
        imageSize: options.imageSize,
        losses,
        noises: options.noise,
        fractions: options.fraction,
        seeds: Array.from({ length: options.seeds }, (_, i) => i + 1),
        k: options.k,
        alpha: options.alpha,
        taus: options.tau,
        learningRates: options.learningRate,
        model,
        hidden: options.hidden,
        epochs: options.epochs,
        batchSize: options.batchSize,
        momentum: options.momentum,
        weightDecay: options.weightDecay,
        out: options.out,
        reference: options.reference,
        save: options.save ?? false,
        backend: backend.name === "cpu" ? undefined : backend,
      },
      watcher,
      stop.signal,
    );
  } catch (error) {
    // A size or a loss that is fine in itself, but beyond this backend.
    if (backend.name !== "cpu" && error instanceof RangeError) {
      throw new BadInput(`--backend: ${backend.name}: ${messageOf(error)}`);
    }
    throw error;
  } finally {
    watcher.stop();
    await backend.destroy();
  }
  const { summary, complete } = results;
  if (options.json) {
    const cells = summary.map(({ chosen, ...cell }) => ({ ...cell, chosen: chosen.map(({ id }) => id) }));
    process.stdout.write(`${JSON.stringify({ complete, out: options.out, summary: cells })}\n`);
  } else {
    const sentences = verdict(summary, options.k).map((sentence) => `${sentence}\n`);
    process.stdout.write(
      `${resultTable(results)}\n${sentences.join("")}\n${options.out}/report.html shows it as a page.\n`,
    );
  }
  if (!complete) {
    process.stderr.write(
      "smooth-topk: interrupted: what is finished is kept, and the same command goes on from there\n",
    );
    process.exitCode = 130;
  }
}

function oneOf<T extends LossName | ModelName>(flag: string, name: string, names: readonly T[]): T {
  const found = names.find((known) => known === name);
  if (found === undefined) throw new BadInput(`${flag}: ${name} is unknown, expected one of ${names.join(", ")}`);
  return found;
}

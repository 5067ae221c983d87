/**
 * The losses as a port that the conformance kit judges, on the backend that is active.
 */
import type { Answer, JsonNumber, LossInput } from "@smooth-topk/conformance";
import type { Port, Reply, Request } from "@smooth-topk/conformance/runner";
import { grad, sum, type Tensor, tensor2d } from "@tensorflow/tfjs-core";
import { smoothTopkLoss, topkLoss } from "../src/index.ts";

export function tensorPort(): Port {
  return {
    exchange: async (requests) => {
      const replies: Reply[] = [];
      for (const request of requests) {
        const isHandshake = request.function === "describe";
        replies.push({ answer: isHandshake ? { id: 0, error: "not described" } : await answerTo(request) });
      }
      return replies;
    },
    close: () => {},
  };
}

async function answerTo({ id, function: name, input }: Request): Promise<Answer> {
  try {
    const { scores, labels, k, tau, alpha } = numbers(input as LossInput);
    const loss = (s: Tensor | number[][]): Tensor =>
      name === "topk_loss"
        ? topkLoss(labels, s, { k, alpha, reduction: "none" })
        : smoothTopkLoss(labels, s, { k, tau, alpha, reduction: "none" });
    // As an array first: what a tensor on the device hides is then refused.
    const rows = loss(scores);
    const at = tensor2d(scores);
    const slopes = grad((s) => sum(loss(s)))(at);
    const output = { loss: Array.from(await rows.data()), grad: (await slopes.array()) as number[][] };
    for (const tensor of [rows, at, slopes]) tensor.dispose();
    return { id, output: { loss: output.loss.map(toJson), grad: output.grad.map((row) => row.map(toJson)) } };
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}

interface Numbers {
  readonly scores: number[][];
  readonly labels: number[];
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

function numbers({ scores, labels, k, tau, alpha }: LossInput): Numbers {
  return {
    scores: scores.map((row) => row.map(fromJson)),
    labels: labels.map(fromJson),
    k: fromJson(k),
    tau: fromJson(tau ?? 1),
    alpha: fromJson(alpha),
  };
}

function fromJson(value: unknown): number {
  return typeof value === "number" ? value : Number(value);
}

function toJson(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}

/** A port under test: what is asked of it, and what came back. */
import type { Dtype } from "../dtypes.ts";
import type { Answer } from "./judge.ts";
import type { FunctionName, Input } from "../vectors/vector-file.ts";

export interface Request {
  readonly id: number;
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly input: Input;
}

/** The handshake, which comes first: see description.ts. */
export interface DescribeRequest {
  readonly id: 0;
  readonly function: "describe";
}

export type AnyRequest = Request | DescribeRequest;

/**
 * Why there is no usable answer.
 * - timeout: none in time. crash: the port ended. garbage: a line that is no answer.
 * - missing: later answers came, this one did not. order: it came before its turn.
 * - not-run: the port had failed too often to ask.
 */
export type Failure = "timeout" | "crash" | "garbage" | "missing" | "order" | "not-run";

export type Reply =
  | { readonly answer: Answer; readonly failure?: undefined }
  | { readonly failure: Failure; readonly detail: string };

export interface Port {
  /**
   * Sends requests and collects the reply to each, in their order; never rejects for what the port does.
   *
   * @param isLast  nothing will be sent afterwards: the port may see the end of its input.
   */
  exchange(requests: readonly AnyRequest[], isLast: boolean): Promise<Reply[]>;
  close(): void;
}

/** A port that runs in this process, one line in, one line out. */
export function portOf(answer: (line: string) => string): Port {
  return {
    exchange: (requests) =>
      Promise.resolve(
        requests.map((request): Reply => {
          try {
            return parseReply(answer(JSON.stringify(request)));
          } catch (error) {
            if (request.function !== "describe") throw error;
            return { failure: "crash", detail: String(error) };
          }
        }),
      ),
    close: () => {},
  };
}

/** The reply that one line is. */
export function parseReply(line: string): Reply {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return { failure: "garbage", detail: `answered ${JSON.stringify(cut(line))}, expected a JSON object` };
  }
  return { answer: parsed };
}

function cut(line: string): string {
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

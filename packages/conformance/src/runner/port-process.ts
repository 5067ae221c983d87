/**
 * A port behind a command: JSON lines on its standard input and output.
 *
 * All requests are written at once, so a port may buffer its answers; each has the time-out since the answer before it.
 * A port that hangs or ends is started again with the requests after the one it failed on, a few times.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { AnswerOrder } from "./answer-order.ts";
import { type AnyRequest, parseReply, type Port, type Reply } from "./port.ts";

export interface ProcessOptions {
  /** For an answer, in seconds. Default 10. */
  readonly timeout?: number | undefined;
  /** For the first answer of a process, in seconds. Default 30, or `timeout` where that is longer. */
  readonly startTimeout?: number | undefined;
}

/** How often a port may hang before it is given up; and how often it may end, which costs less time. */
const MOST_TIMEOUTS = 3;
const MOST_CRASHES = 20;
/** A longer line is no answer. */
const LONGEST_LINE = 2 ** 22;
const STDERR_KEPT = 2000;
/** For a port to end by itself once its input has ended, in ms. */
const GRACE = 2000;

/** The command could not be started: a mistake of who called, not of the port. */
export class CannotStart extends Error {}

export class PortProcess implements Port {
  readonly #command: readonly string[];
  readonly #timeout: number;
  readonly #startTimeout: number;
  #session: Session | undefined;
  #timeouts = 0;
  #crashes = 0;
  #hasAnswered = false;

  /** @param command  a program and its arguments; no shell. */
  constructor(command: readonly string[], { timeout = 10, startTimeout = Math.max(30, timeout) }: ProcessOptions = {}) {
    this.#command = command;
    this.#timeout = timeout * 1000;
    this.#startTimeout = startTimeout * 1000;
  }

  /** @throws CannotStart if there is no such program. */
  async exchange(requests: readonly AnyRequest[], isLast: boolean): Promise<Reply[]> {
    const replies = new Map<number, Reply>();
    let left = requests;
    while (left.length > 0) {
      const givenUp = this.#givenUp();
      if (givenUp !== undefined) {
        for (const { id } of left) replies.set(id, { failure: "not-run", detail: givenUp });
        break;
      }
      this.#session ??= await Session.start(this.#command);
      const outcome = await this.#session.ask(left, replies, isLast, this.#timeout, this.#startTimeout);
      this.#hasAnswered ||= this.#session.hasAnswered;
      if (outcome === "done") break;
      // A port that ends at a function that it does not know is asked the others all the same.
      const isHandshake = left[0].function === "describe";
      if (!isHandshake && outcome === "timeout") this.#timeouts++;
      else if (!isHandshake) this.#crashes++;
      this.close();
      left = left.filter(({ id }) => !replies.has(id));
    }
    if (isLast) await this.#session?.end();
    return requests.map(({ id }) => replies.get(id) ?? { failure: "missing", detail: "no answer" });
  }

  close(): void {
    this.#session?.kill();
    this.#session = undefined;
  }

  #givenUp(): string | undefined {
    if (this.#timeouts >= MOST_TIMEOUTS) return `not asked: the port had hung ${this.#timeouts} times`;
    if (this.#crashes >= MOST_CRASHES) return `not asked: the port had ended ${this.#crashes} times`;
    const failures = this.#timeouts + this.#crashes;
    if (!this.#hasAnswered && failures > 0) return "not asked: the port answered nothing at all";
    return undefined;
  }
}

/** One process, from its start to its end. */
class Session {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #pieces: string[] = [];
  #stderr = "";
  #ended: string | undefined;
  #wake: () => void = () => {};
  readonly #killAtExit = (): void => this.kill();
  hasAnswered = false;

  static async start(command: readonly string[]): Promise<Session> {
    // A group of its own, so that what the command starts ends with it.
    const child = spawn(command[0], command.slice(1), { stdio: "pipe", detached: process.platform !== "win32" });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new CannotStart(`cannot start ${command[0]}: ${error.message}`)));
    });
    return new Session(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once("exit", this.#killAtExit);
    child.on("error", () => {});
    // A port that ends early breaks its input; its end is reported, not that.
    child.stdin?.on("error", () => {});
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    child.once("close", (code, signal) => {
      process.off("exit", this.#killAtExit);
      this.#end(signal === null ? `exit status ${code}` : `signal ${signal}`);
    });
  }

  #read(text: string): void {
    const parts = text.split("\n");
    // The pieces of a long line are joined once, at its end.
    this.#pieces.push(parts[0]);
    if (parts.length > 1) {
      this.#take(this.#pieces.join(""));
      for (const line of parts.slice(1, -1)) this.#take(line);
      this.#pieces = [parts[parts.length - 1]];
    }
    if (this.#pieces.reduce((sum, piece) => sum + piece.length, 0) > LONGEST_LINE) {
      this.kill();
      this.#end(`a line of more than ${LONGEST_LINE} characters`);
    }
    this.#wake();
  }

  #take(line: string): void {
    if (line.trim() !== "") this.#lines.push(line);
  }

  #end(how: string): void {
    // The last line may lack its end; a piece of an answer is none.
    const rest = this.#pieces.join("");
    if (parseReply(rest).failure === undefined) this.#take(rest);
    this.#pieces = [];
    this.#ended ??= how;
    this.#wake();
  }

  /** Sets the replies that came or that are given up; the others are to be asked of another process. */
  async ask(
    requests: readonly AnyRequest[],
    replies: Map<number, Reply>,
    isLast: boolean,
    timeout: number,
    startTimeout: number,
  ): Promise<"done" | "timeout" | "crash"> {
    for (const request of requests) this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    if (isLast) this.#child.stdin?.end();
    const order = new AnswerOrder(requests, replies);
    while (!order.isComplete) {
      const limit = this.hasAnswered ? timeout : startTimeout;
      const line = await this.#nextLine(limit);
      if (line !== undefined) {
        this.hasAnswered = true;
        order.take(line);
        continue;
      }
      const isOvertaken = order.next === undefined;
      if (this.#ended === undefined) order.fail("timeout", `no answer in ${limit / 1000} s${this.#lastWords()}`);
      else order.fail("crash", `the port ended with ${this.#ended}${this.#lastWords()}`);
      if (isOvertaken && order.isComplete) break;
      return this.#ended === undefined ? "timeout" : "crash";
    }
    return "done";
  }

  /** The next line that is not blank, or undefined if the port ends or lets `limit` ms pass. */
  async #nextLine(limit: number): Promise<string | undefined> {
    if (this.#lines.length === 0 && this.#ended === undefined) await this.#wait(limit);
    return this.#lines.shift();
  }

  /** Until there is a line, or the process has ended, or `ms` have passed. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        if (this.#lines.length === 0 && this.#ended === undefined) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #lastWords(): string {
    const lines = this.#stderr.trim().split("\n");
    const last = lines[lines.length - 1];
    return last === "" ? "" : `, last on its standard error: ${last.slice(0, 200)}`;
  }

  /** Waits a little for the process to end by itself, then ends it. */
  async end(): Promise<void> {
    const deadline = Date.now() + GRACE;
    while (this.#ended === undefined && Date.now() < deadline) await this.#wait(deadline - Date.now());
    this.kill();
  }

  kill(): void {
    process.off("exit", this.#killAtExit);
    const { pid } = this.#child;
    if (pid === undefined || this.#ended !== undefined) return;
    try {
      if (process.platform === "win32") this.#child.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Ended in the meantime.
    }
  }
}

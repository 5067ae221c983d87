/** Which answer belongs to which request, where answers come late, twice, in another order, or are none. */
import { type AnyRequest, parseReply, type Reply } from "./port.ts";

export class AnswerOrder {
  readonly #outstanding: Set<number>;
  /** Requests that a later one's answer overtook. */
  readonly #overdue = new Set<number>();
  readonly #replies: Map<number, Reply>;

  /** @param replies  receives the reply to each request. */
  constructor(requests: readonly AnyRequest[], replies: Map<number, Reply>) {
    this.#outstanding = new Set(requests.map(({ id }) => id));
    this.#replies = replies;
  }

  get isComplete(): boolean {
    return this.#outstanding.size === 0;
  }

  /** The request whose turn it is; undefined where all that are left were overtaken. */
  get next(): number | undefined {
    for (const id of this.#outstanding) if (!this.#overdue.has(id)) return id;
    return undefined;
  }

  take(line: string): void {
    const reply = parseReply(line);
    const id = reply.failure === undefined ? reply.answer.id : undefined;
    if (typeof id !== "number" || !this.#outstanding.has(id)) {
      this.#takeStray(reply, id);
      return;
    }
    if (this.#overdue.has(id)) {
      this.#settle(id, { failure: "order", detail: "answered after a later request" });
      return;
    }
    for (const earlier of this.#outstanding) {
      if (earlier === id) break;
      this.#overdue.add(earlier);
    }
    this.#settle(id, reply);
  }

  /** A line that answers no outstanding request stands where the next answer should be, unless it is a second one. */
  #takeStray(reply: Reply, id: unknown): void {
    const { next } = this;
    // A late answer to the handshake, whose turn some other line took.
    if (id === 0) return;
    if (next === undefined || (typeof id === "number" && this.#replies.has(id))) return;
    const detail =
      reply.failure === undefined ? `answered with id ${JSON.stringify(id ?? null)}, expected ${next}` : reply.detail;
    this.#settle(next, { failure: "garbage", detail });
  }

  /** The next request fails, and all that were overtaken are missing. */
  fail(failure: "timeout" | "crash", detail: string): void {
    const { next } = this;
    if (next !== undefined) this.#settle(next, { failure, detail });
    for (const id of this.#overdue) {
      this.#settle(id, { failure: "missing", detail: "not answered, though later requests were" });
    }
  }

  #settle(id: number, reply: Reply): void {
    this.#replies.set(id, reply);
    this.#outstanding.delete(id);
    this.#overdue.delete(id);
  }
}

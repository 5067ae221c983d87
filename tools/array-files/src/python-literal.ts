/**
 * Python literals, as ast.literal_eval reads them: strings, integers, True, False, None, tuples, lists, dictionaries.
 * Nothing is evaluated. Headers of .npy files are such dictionaries, and not only NumPy writes them.
 */
export interface Tuple {
  readonly tuple: readonly PythonLiteral[];
}
export type PythonLiteral = string | number | boolean | null | Tuple | readonly PythonLiteral[] | PythonDictionary;
type PythonDictionary = ReadonlyMap<PythonLiteral, PythonLiteral>;

/** Deeper nesting is no array's header. */
const DEEPEST = 32;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "", "0": "\0" };

/** Where a text is not a literal. */
export class NotLiteral extends Error {}

/** @throws NotLiteral saying at which character, and what was expected there. */
export function parsePythonLiteral(text: string): PythonLiteral {
  let at = 0;
  const fail = (expected: string): never => {
    const found = at < text.length ? JSON.stringify(text.slice(at, at + 10)) : "its end";
    throw new NotLiteral(`${found} at character ${at}, expected ${expected}`);
  };
  const blanks = (): void => {
    while (/[\s\\]/.test(text[at] ?? "x")) at++;
  };
  const take = (mark: string): boolean => {
    blanks();
    if (text[at] !== mark) return false;
    at++;
    return true;
  };

  function items(close: string, depth: number): { list: PythonLiteral[]; comma: boolean } {
    const list: PythonLiteral[] = [];
    let comma = false;
    while (!take(close)) {
      if (list.length > 0 && !comma) fail(`a comma or ${close}`);
      list.push(value(depth));
      comma = take(",");
    }
    return { list, comma };
  }

  function dictionary(depth: number): PythonDictionary {
    const found = new Map<PythonLiteral, PythonLiteral>();
    let comma = true;
    while (!take("}")) {
      if (!comma) fail("a comma or }");
      const key = value(depth);
      if (!take(":")) fail("a colon");
      // Of a key that occurs twice, the later value holds.
      found.set(key, value(depth));
      comma = take(",");
    }
    return found;
  }

  function string(): string {
    const prefix = /^[bBuUrR]{0,2}/.exec(text.slice(at, at + 2))?.[0] ?? "";
    const raw = /r/i.test(prefix);
    at += prefix.length;
    const quote = text.startsWith(text[at].repeat(3), at) ? text[at].repeat(3) : text[at];
    at += quote.length;
    let out = "";
    while (!text.startsWith(quote, at)) {
      if (at >= text.length) fail(`a closing ${quote}`);
      if (text[at] === "\\" && !raw) {
        const code = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4}))/.exec(text.slice(at, at + 6));
        out +=
          code === null
            ? (ESCAPES[text[at + 1]] ?? text[at + 1])
            : String.fromCharCode(parseInt(code[1] ?? code[2], 16));
        at += code === null ? 2 : code[0].length;
      } else out += text[at++];
    }
    at += quote.length;
    return out;
  }

  function value(depth: number): PythonLiteral {
    if (depth > DEEPEST) fail(`nesting of at most ${DEEPEST}`);
    blanks();
    if (take("{")) return dictionary(depth + 1);
    if (take("[")) return items("]", depth + 1).list;
    if (take("(")) {
      const { list, comma } = items(")", depth + 1);
      // (3) is 3 in brackets, (3,) a tuple.
      return list.length === 1 && !comma ? list[0] : { tuple: list };
    }
    if (/^(?:[bBuUrR]{0,2})['"]/.test(text.slice(at, at + 3))) return string();
    const word = /^(?:True|False|None)\b/.exec(text.slice(at, at + 6))?.[0];
    if (word !== undefined) {
      at += word.length;
      return word === "None" ? null : word === "True";
    }
    // Python 2 wrote 3L for long integers.
    const number = /^([-+]?)(0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?)L?/.exec(
      text.slice(at, at + 400),
    );
    if (number === null) return fail("a literal");
    at += number[0].length;
    const size = Number(number[2].replaceAll("_", ""));
    return number[1] === "-" ? -size : size;
  }

  const found = value(0);
  blanks();
  if (at < text.length) fail("its end");
  return found;
}

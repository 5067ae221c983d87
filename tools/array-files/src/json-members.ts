/**
 * The members of a JSON object as text: what JSON.parse forgets, such as keys that occur twice and how a number is
 * written.
 */
export interface JsonMember {
  readonly key: string;
  /** The value as it is written. */
  readonly text: string;
}

/**
 * @param text  valid JSON of an object, which JSON.parse has accepted; anything else gives what it gives.
 * @returns the members of the outermost object, in their order, those of one key too.
 *
 * O(length) time, and the memory of the members' texts.
 */
export function jsonMembers(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = text.indexOf("{") + 1;
  for (;;) {
    at = afterBlanks(text, at);
    if (text[at] === ",") at = afterBlanks(text, at + 1);
    if (text[at] !== '"') return members;
    const afterKey = afterString(text, at);
    const key = JSON.parse(text.slice(at, afterKey)) as string;
    const start = afterBlanks(text, afterBlanks(text, afterKey) + 1);
    at = afterValue(text, start);
    members.push({ key, text: text.slice(start, at) });
  }
}

/**
 * The deepest nesting of arrays and objects in a text, or `limit + 1` as soon as it is passed: JSON.parse takes memory by
 * the nesting, and this does not.
 */
export function jsonDepth(text: string, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = afterString(text, at) - 1;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (deepest > limit) return deepest;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return deepest;
}

function afterBlanks(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** From the opening quote to behind the closing one. */
function afterString(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return at;
}

function afterValue(text: string, at: number): number {
  let depth = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = afterString(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (code === 0x2c || code <= 0x20)) return at;
  }
  return at;
}

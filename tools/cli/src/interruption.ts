/**
 * What a signal does while a command can end in good order. Without that, or at the second signal, the process exits.
 */
let ending: (() => void) | null = null;

/** Ends the command under way in good order at the first signal. */
export function endInGoodOrder(end: () => void): void {
  ending = end;
}

/** Called at a signal: whether the command is ending by itself. */
export function isEnding(): boolean {
  const end = ending;
  ending = null;
  end?.();
  return end !== null;
}

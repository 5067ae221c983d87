/**
 * Trees of arrays: parameters as nested plain objects and lists, seen as a flat list of leaves and back.
 */
import { isTensor, type Operand } from "./tape.ts";

/** An array or a number, or a plain object or list of trees. */
export type Tree = Operand | readonly Tree[] | { readonly [key: string]: Tree };

/** The type of a tree like X: a literal number stands for any. */
export type Like<X> = X extends number ? number : X;

function isLeaf(tree: unknown): tree is Operand {
  return typeof tree === "number" || isTensor(tree);
}

/** The leaves with their paths (`.layers[0].w`), in the order of the keys. @throws TypeError at anything else. */
export function leavesOf(caller: string, tree: unknown, path = ""): { leaf: Operand; path: string }[] {
  if (isLeaf(tree)) return [{ leaf: tree, path }];
  if (Array.isArray(tree)) return tree.flatMap((part, i) => leavesOf(caller, part, `${path}[${i}]`));
  if (typeof tree === "object" && tree !== null && !ArrayBuffer.isView(tree)) {
    return Object.entries(tree).flatMap(([key, part]) => leavesOf(caller, part, `${path}.${key}`));
  }
  const found = ArrayBuffer.isView(tree) ? "a typed array" : `a ${typeof tree}`;
  throw new TypeError(
    `${caller}: x${path} is ${found}, expected an ndarray, a number, or a plain object or list of those`,
  );
}

/** A tree of the same structure with other leaves, taken in order. */
export function withLeaves(tree: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  const rebuild = (part: unknown): unknown => {
    if (isLeaf(part)) return leaves[next++];
    if (Array.isArray(part)) return part.map(rebuild);
    return Object.fromEntries(Object.entries(part as object).map(([key, inner]) => [key, rebuild(inner)]));
  };
  return rebuild(tree);
}

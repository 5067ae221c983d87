/**
 * Trees of arrays: parameters as nested plain objects and lists, seen as a flat list of leaves and back.
 */
import { isTensor, type Operand } from "./tape.ts";

/** An array or a number, or a plain object or list of trees. */
export type Tree = Operand | readonly Tree[] | { readonly [key: string]: Tree };

/** The type of a tree like X: a literal number stands for any. */
export type Like<X> = X extends number ? number : X;

function isLeaf(tree: Tree): tree is Operand {
  return typeof tree === "number" || isTensor(tree);
}

/** The leaves with their paths (`.layers[0].w`), in the order of the keys. @throws TypeError at anything else. */
export function leavesOf(caller: string, tree: Tree, path = ""): { leaf: Operand; path: string }[] {
  if (isLeaf(tree)) return [{ leaf: tree, path }];
  if (Array.isArray(tree)) return tree.flatMap((part: Tree, i) => leavesOf(caller, part, `${path}[${i}]`));
  if (typeof tree === "object" && tree !== null && !ArrayBuffer.isView(tree)) {
    return Object.entries(tree).flatMap(([key, part]) => leavesOf(caller, part, `${path}.${key}`));
  }
  throw new TypeError(
    `${caller}: x${path} is a ${typeof tree}, expected an ndarray, a number, or a plain object or list of those`,
  );
}

/** A tree of the same structure with other leaves, taken in order. */
export function withLeaves(tree: Tree, leaves: readonly Tree[]): Tree {
  let next = 0;
  const rebuild = (part: Tree): Tree => {
    if (isLeaf(part)) return leaves[next++];
    if (Array.isArray(part)) return part.map(rebuild);
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, rebuild(inner)]));
  };
  return rebuild(tree);
}

/**
 * Images laid out as super-class / class / image, in a folder or in a .zip: Omniglot's own archives, for one.
 */
import { BadInput } from "@smooth-topk/array-files";
import type { Dataset } from "./dataset.ts";
import { decodeImage, isGrey, squared } from "./image.ts";

/** A file of the tree. */
export interface ImageFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly read: () => Promise<Buffer>;
}

const LAYOUT = "expected images laid out as super-class/class/image.png (or .jpg)";

/** Whether a path is an image's; what archivers and desktops leave beside them is not. */
export function isImagePath(path: string): boolean {
  return /\.(png|jpe?g)$/i.test(path) && !path.split("/").some((part) => part === "__MACOSX" || part.startsWith("."));
}

/**
 * The data set of a tree of images: the last two folders of a path are super-class and class. Grey images have one
 * channel; one that is not gives all of them three.
 *
 * @param name  of the tree, for results and errors.
 * @param size  pixels along each side that images are brought to.
 * @throws BadInput naming the file, where there is no image, one is damaged or one lies elsewhere.
 */
export async function readImageTree(name: string, files: readonly ImageFile[], size: number): Promise<Dataset> {
  const images = files.filter(({ path }) => isImagePath(path)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (images.length === 0) throw new BadInput(`${name}: holds no images, ${LAYOUT}`);
  const classes = new Map<string, number>();
  const superClasses = new Map<string, number>();
  const superClassOf: number[] = [];
  const labels = new Int32Array(images.length);
  const inputs = new Uint8Array(images.length * 3 * size * size);
  let grey = true;
  for (const [i, { path, read }] of images.entries()) {
    const folders = path.split("/").slice(0, -1);
    if (folders.length < 2) throw new BadInput(`${name}: ${path} lies at the top, ${LAYOUT}`);
    const superClass = folders.slice(0, -1).join("/");
    const className = folders.join("/");
    if (!superClasses.has(superClass)) superClasses.set(superClass, superClasses.size);
    if (!classes.has(className)) {
      classes.set(className, classes.size);
      superClassOf.push(superClasses.get(superClass) as number);
    }
    labels[i] = classes.get(className) as number;
    const image = decodeImage(`${name}: ${path}`, await read());
    grey &&= isGrey(image);
    inputs.set(squared(image, size), i * 3 * size * size);
  }
  const pixels = size * size;
  const oneChannel = new Uint8Array(grey ? images.length * pixels : 0);
  if (grey)
    for (let i = 0; i < images.length; i++)
      oneChannel.set(inputs.subarray(3 * i * pixels, (3 * i + 1) * pixels), i * pixels);
  return {
    name,
    shape: [grey ? 1 : 3, size, size],
    inputs: grey ? oneChannel : inputs,
    labels,
    classNames: [...classes.keys()],
    superClassOf: Int32Array.from(superClassOf),
    testFrom: null,
  };
}

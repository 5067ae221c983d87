/**
 * Data by what the user names: a folder, an archive, a matrix, or the embedded set.
 */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import { readCifar100 } from "./cifar100.ts";
import { checkDataset, type Dataset } from "./dataset.ts";
import { readFeatureMatrix } from "./feature-matrix.ts";
import { filesOfFolder } from "./image-folder.ts";
import { readImageTree } from "./image-tree.ts";
import { openZip } from "./image-zip.ts";
import { syntheticDataset } from "./synthetic.ts";

export interface DataOptions {
  /** "synthetic", a folder of CIFAR-100's .bin files, a folder or .zip of images, or a .npy or .safetensors matrix. */
  readonly data: string;
  /** Of a feature matrix. */
  readonly labels?: string | undefined;
  readonly superClasses?: string | undefined;
  /** Pixels along each side that images are brought to. */
  readonly imageSize: number;
}

const KINDS =
  "expected synthetic, a folder with CIFAR-100's train.bin and test.bin, a folder or .zip of super-class/class/image, or a .npy or .safetensors matrix with --labels";
const OMNIGLOT = "Omniglot's archives are at https://github.com/brendenlake/omniglot";

/** @throws BadInput in one line: what is wrong, where, and where data can be had. */
export async function openDataset(options: DataOptions): Promise<Dataset> {
  const { data, labels, superClasses, imageSize } = options;
  if (data === "synthetic") return syntheticDataset();
  if (/\.(npy|csv)$|\.safetensors(:.*)?$/i.test(data)) {
    if (labels === undefined) throw new BadInput(`--data: ${data}: a feature matrix needs --labels`);
    return checkDataset(await readFeatureMatrix({ features: data, labels, superClasses }));
  }
  if (labels !== undefined)
    throw new BadInput(`--labels: only a .npy or .safetensors matrix has labels in a file of their own`);
  let kind;
  try {
    kind = await stat(data);
  } catch (error) {
    throw new BadInput(`--data: ${data}: ${systemReason(error)}; ${KINDS}; ${OMNIGLOT}`);
  }
  const name = basename(resolve(data));
  if (kind.isDirectory()) {
    // A folder of which one of the two files is missing is CIFAR-100 all the same, and the error says which.
    const isCifar = ["train.bin", "test.bin"].some((file) => existsSync(join(data, file)));
    return checkDataset(
      isCifar ? await readCifar100(data) : await readImageTree(name, await filesOfFolder(data), imageSize),
    );
  }
  if (/\.zip$/i.test(data)) {
    const zip = await openZip(data);
    try {
      return checkDataset(await readImageTree(name, zip.files, imageSize));
    } finally {
      zip.close();
    }
  }
  throw new BadInput(`--data: ${data}: unknown kind of file, ${KINDS}`);
}

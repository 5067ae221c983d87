/** Runs the first example of the README and holds it to what it shows. */
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import * as tfjs from "./index.ts";

const modules = { "@smooth-topk/tfjs": tfjs, "@tensorflow/tfjs-core": { default: tf } };

it("README.md shows the output of its first example", async () => {
  await import("@tensorflow/tfjs-backend-cpu");
  await import("@tensorflow/tfjs-layers");
  await tf.setBackend("cpu");
  const [example, output] = examplesOf(new URL("../README.md", import.meta.url)).filter(({ language }) =>
    ["ts", "text"].includes(language),
  );
  expect([example.language, output.language]).toEqual(["ts", "text"]);
  // A backend is imported for its effect, a namespace under its name.
  const code = example.code.replaceAll(/^import "[^"]+";$/gm, "").replace("import * as tf from", "import tf from");
  await expectOutputPrinted(code, output.code, modules);
});

/**
 * The site of the documentation: these pages as they are, the READMEs of the packages, and the API pages that typedoc
 * makes of the docstrings. A dead link fails the build.
 */
import markdownItKatex from "@vscode/markdown-it-katex";
import { defineConfig } from "vitepress";

const guides = {
  "The algorithm": "algorithm",
  "Properties of the loss": "properties",
  "Other names, same numbers": "poisson-binomial",
  Accuracy: "accuracy",
  Speed: "speed",
  Experiments: "experiments",
  GPUs: "gpu",
  WebAssembly: "wasm",
  Porting: "porting",
};
const packages = ["loss", "tfjs", "esym", "esym-wasm", "esym-gpu", "grad", "conformance"];
const tools = ["cli", "train", "array-files"];
/** A package with several entries has a page for each. */
const api = {
  esym: "esym",
  grad: "grad",
  "esym-gpu": "esym-gpu",
  loss: "loss/loss",
  "loss/differentiable": "loss/differentiable",
  conformance: "conformance",
};
const pages = (paths: Readonly<Record<string, string>>): { text: string; link: string }[] =>
  Object.entries(paths).map(([text, link]) => ({ text, link }));

export default defineConfig({
  title: "smooth-topk",
  description: "Smooth top-k classification losses and the elementary symmetric polynomials under them",
  // The repository as the source, so that links between pages are the same there and here.
  srcDir: "..",
  srcExclude: ["**/node_modules/**", "**/dist/**"],
  // Links to sources lead somewhere in the repository, not on the site.
  ignoreDeadLinks: [/\.(py|ts|json)$/],
  rewrites: { "README.md": "index.md", ":path(.*)/README.md": ":path/index.md" },
  markdown: {
    config: (markdown) => {
      // A CommonJS module, whose default export node gives once more wrapped than its types say.
      const { default: katex = markdownItKatex } = markdownItKatex as { default?: unknown };
      markdown.use(katex as Parameters<typeof markdown.use>[0]);
      // A README is the index of its folder here, and so has to be what leads to it.
      markdown.core.ruler.push("readme-is-index", ({ tokens }) => {
        for (const { children } of tokens) {
          for (const token of children ?? []) {
            const to = token.type === "link_open" ? token.attrGet("href") : null;
            if (to === null || /^[a-z]+:/.test(to)) continue;
            token.attrSet(
              "href",
              to.replace(/(^|\/)README\.md(?=#|$)/, (_, slash: string) => slash || "./"),
            );
          }
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    sidebar: [
      { text: "Start", link: "/" },
      { text: "Guides", items: pages(guides).map(({ text, link }) => ({ text, link: `/docs/${link}` })) },
      { text: "Packages", items: packages.map((name) => ({ text: name, link: `/packages/${name}/` })) },
      { text: "Tools", items: tools.map((name) => ({ text: name, link: `/tools/${name}/` })) },
      { text: "Ports", link: "/ports/" },
      { text: "API", items: pages(api).map(({ text, link }) => ({ text, link: `/docs/api/${link}` })) },
      { text: "Changelog", link: "/CHANGELOG" },
      { text: "Contributing", link: "/CONTRIBUTING" },
    ],
  },
});

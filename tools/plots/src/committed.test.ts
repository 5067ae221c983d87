/**
 * The plots in docs/plots are those that `npm run plots` makes.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FIGURES } from "./figures.ts";

const folder = new URL("../../../docs/plots/", import.meta.url);
const page = readFileSync(new URL("../../../docs/properties.md", import.meta.url), "utf8");

describe("docs/plots", () => {
  it.each(Object.entries(FIGURES))("%s.svg is what the command makes, and is shown", (name, make) => {
    expect(make()).toBe(readFileSync(new URL(`${name}.svg`, folder), "utf8"));
    expect(page).toMatch(new RegExp(`!\\[[^\\]]+\\]\\(plots/${name}\\.svg\\)`));
  });

  it("holds nothing else", () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(FIGURES).map((name) => `${name}.svg`));
  });
});

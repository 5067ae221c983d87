/**
 * Crawls the built site: every link between its pages leads to a page, and no page is wider than its window at 390, 768
 * and 1400 pixels, seen in Chromium (skipped with a line where there is none). Exit status 1 if something is wrong.
 *
 * Links into the sources of the repository are no pages and not followed.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, posix } from "node:path";
import { chromium } from "playwright";
import { findChromium } from "./chromium.mjs";

const site = "docs/.vitepress/dist";
const widths = [390, 768, 1400];
const source = /\.(py|ts|mjs|json|c|h|toml|sh|html?\.ts)$|(^|\/)LICENSE$/;
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

const pages = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".html"));
/** @type {string[]} */
const wrong = [];
for (const page of pages) {
  for (const [, href] of readFileSync(join(site, page), "utf8").matchAll(/<a\b[^>]*?\bhref="([^"]*)"/g)) {
    const path = href.split(/[#?]/)[0];
    if (path === "" || /^[a-z]+:/.test(path) || source.test(path)) continue;
    const target = fileOf(path.startsWith("/") ? path : posix.join("/", posix.dirname(page), path));
    if (target === undefined) wrong.push(`${page}: ${href} leads nowhere`);
  }
}
const links = wrong.length;

const browserPath = findChromium();
if (browserPath === undefined) console.log("site: widths skipped: need Chromium, which is not installed");
else await checkWidths(browserPath);
for (const line of wrong) console.error(line);
console.log(`site: ${pages.length} pages, ${links} dead links, ${wrong.length - links} pages too wide`);
process.exitCode = wrong.length > 0 ? 1 : 0;

/** The file that a path of the site is served from. @param {string} path */
function fileOf(path) {
  const file = join(site, decodeURI(path));
  return [file, `${file}.html`, join(file, "index.html")].find((name) => existsSync(name) && statSync(name).isFile());
}

/** @param {string} executablePath */
async function checkWidths(executablePath) {
  const server = createServer(({ url = "/" }, response) => {
    const file = fileOf(url.split("?")[0]);
    response.writeHead(file === undefined ? 404 : 200, {
      "content-type": types[/** @type {keyof typeof types} */ (extname(file ?? ""))] ?? "application/octet-stream",
    });
    response.end(file === undefined ? "" : readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--no-first-run"] });
  try {
    const tab = await browser.newPage();
    for (const page of pages) {
      await tab.goto(`http://127.0.0.1:${port}/${page}`);
      for (const width of widths) {
        await tab.setViewportSize({ width, height: 900 });
        const needed = await tab.evaluate("document.documentElement.scrollWidth");
        if (needed > width) wrong.push(`${page}: ${needed} px wide in a window of ${width} px`);
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
}

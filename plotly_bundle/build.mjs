// Builds what the dashboard serves, in ../shiny/www/plotly or another folder: `npm ci && npm run build [folder]`.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(process.argv[2] ?? join(here, "..", "shiny", "www", "plotly"));

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["traces.js"],
  outfile: join(dist, "plotly.min.js"),
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  footer: { js: "Plotly = Plotly.default;" },
  target: "es2020",
  legalComments: "none", // each package's licence is in licenses.txt
  define: { global: "window", "define.amd": "false", "process.env.NODE_DEBUG": "false" },
  alias: { stream: "stream-browserify" },
  loader: { ".css": "empty" }, // of the maps, which are not in it
  metafile: true,
});

/** The folder of the package that a file is of, as in node_modules/@plotly/regl. */
const packageOf = (file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0];

/** What a package says of its licence: its file of that name, else the line of its package.json. */
function license(folder) {
  const file = readdirSync(join(here, folder)).find((name) => /^licen[cs]e/i.test(name));
  const { name, version, license: named } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
  return `${name} ${version} (${named})\n\n${file ? readFileSync(join(here, folder, file), "utf8").trim() : ""}\n`;
}

const { inputs } = Object.values(metafile.outputs).find((output) => output.entryPoint);
const packages = new Set(Object.keys(inputs).filter((file) => inputs[file].bytesInOutput).map(packageOf));
packages.delete(undefined);
writeFileSync(join(dist, "licenses.txt"), [...packages].sort().map(license).join(`\n${"-".repeat(80)}\n\n`));

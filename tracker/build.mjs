// Builds dist/ and holds the size: `node build.mjs [folder]`.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const BUDGET = 5_120; // bytes of dist/clickstream.js after gzip -9
const PUBLIC = ["index.d.ts", "tracker.d.ts", "types.d.ts", "event.d.ts"];
/** What names are made of. Small letters alone, the commonest of the rest first, pack better than what else a name may hold. */
const LETTERS = [..."etnrasiocldupmgfhwvxybkjqz"];
const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(process.argv[2] ?? join(here, "dist"));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

async function bundle(entry, format, name) {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    format,
    bundle: true,
    minify: true,
    write: false,
    target: "es2021",
    legalComments: "none",
    mangleProps: /^(isStored|level|options|here|cameFrom|clicked|leaving)$/, // names that no one outside meets
    define: { VERSION: JSON.stringify(version) },
  });
  // A second pass by terser is worth 5 % of the size.
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: true,
    mangle: { nth_identifier: { get: nameOf } },
    compress: { passes: 4, unsafe_comps: true, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false, pure_getters: true },
  });
  writeFileSync(join(dist, name), code + "\n");
}

function nameOf(number) {
  const rest = Math.floor(number / LETTERS.length);
  return (rest ? nameOf(rest - 1) : "") + LETTERS[number % LETTERS.length];
}

rmSync(dist, { recursive: true, force: true });
const compiler = join(here, "node_modules", "typescript", "bin", "tsc");
execFileSync(process.execPath, [compiler, "-p", here, "--outDir", dist], { stdio: "inherit" });
for (const file of readdirSync(dist)) if (!PUBLIC.includes(file)) rmSync(join(dist, file));
await bundle("src/script.ts", "iife", "clickstream.js");
await bundle("src/vitals.ts", "iife", "clickstream-vitals.js");
await bundle("src/index.ts", "esm", "clickstream.mjs");

const script = readFileSync(join(dist, "clickstream.js"));
const gzip = gzipSync(script, { level: 9 }).length;
const brotli = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
console.log(`clickstream.js: ${script.length} bytes, gzip ${gzip}, brotli ${brotli} (budget: gzip ${BUDGET})`);
if (gzip > BUDGET) {
  console.error(`${gzip - BUDGET} bytes above the budget`);
  process.exit(1);
}

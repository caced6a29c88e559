// Builds dist/ and holds the size: `node build.mjs [folder]`.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const BUDGET = 5_120; // bytes of dist/clickstream.js after gzip -9
const PUBLIC = ["index.d.ts", "tracker.d.ts", "types.d.ts", "event.d.ts"];
const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(process.argv[2] ?? join(here, "dist"));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2020",
  legalComments: "none",
  define: { VERSION: JSON.stringify(version) },
};

rmSync(dist, { recursive: true, force: true });
await build({ ...common, entryPoints: ["src/script.ts"], format: "iife", outfile: join(dist, "clickstream.js") });
await build({ ...common, entryPoints: ["src/index.ts"], format: "esm", outfile: join(dist, "clickstream.mjs") });
const compiler = join(here, "node_modules", "typescript", "bin", "tsc");
execFileSync(process.execPath, [compiler, "-p", here, "--outDir", dist], { stdio: "inherit" });
// The other declarations are nobody's business.
for (const file of readdirSync(dist))
  if (/\.d\.ts$/.test(file) && !PUBLIC.includes(file)) rmSync(join(dist, file));

const script = readFileSync(join(dist, "clickstream.js"));
const gzip = gzipSync(script, { level: 9 }).length;
const brotli = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
console.log(`clickstream.js: ${script.length} bytes, gzip ${gzip}, brotli ${brotli} (budget: gzip ${BUDGET})`);
if (gzip > BUDGET) {
  console.error(`${gzip - BUDGET} bytes above the budget`);
  process.exit(1);
}

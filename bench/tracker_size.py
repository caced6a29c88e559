"""How large is the tracker next to its peers' published packages, and what does it cost a page to load it?

Run: python bench/tracker_size.py [rounds]

The peers come from npm, at the versions below, into a temporary folder; all are measured in the same run. Sizes are
those of the file that the package publishes for a script tag, or, where it has none, of its entry bundled by esbuild.
Costs are what Chromium's own trace says its main thread did: ratios travel, milliseconds do not.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "tracker"), str(ROOT)]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from support.browsers import launch  # noqa: E402
from tracker_site import DIST, Collector, Shop, served  # noqa: E402

ROUNDS = 9
#: Package, version, the published file (none: its entry is bundled), and what it leaves out that ours has.
PEERS = (
    ("plausible-tracker", "0.3.9", "", "no queue, no retry, no shop events, no consent"),
    ("@plausible-analytics/tracker", "0.4.6", "", "no queue, no retry, no sessions or ids, no consent"),
    ("ahoy.js", "0.4.5", "dist/ahoy.min.js", "a queue of one minute, no retry by beacon, no consent"),
    ("@snowplow/browser-tracker", "4.10.1", "dist/index.umd.min.js", "shop events, links and vitals are plugins"),
    ("@segment/analytics-next", "1.84.3", "dist/umd/index.js", "no sessions, manual page views"),
    ("@aws/clickstream-web", "0.12.6", "", "retries without a wait"),
    ("countly-sdk-web", "26.1.1", "lib/countly.min.js", ""),
    ("posthog-js", "1.449.2", "dist/array.js", "queue in memory only; more than analytics"),
)
_MEASURE = """
const { readFileSync } = require("node:fs");
const { gzipSync, brotliCompressSync } = require("node:zlib");
const sizes = process.argv.slice(1).map((path) => {
    const text = readFileSync(path);
    return [text.length, gzipSync(text, { level: 9 }).length, brotliCompressSync(text).length];
});
console.log(JSON.stringify(sizes));
"""
OURS = "clickstream (this)"
NONE = "no script at all"
SECONDS = 1.5  # the first batch leaves after one


def node(*arguments: str, cwd: Path | None = None) -> str:
    return subprocess.run(arguments, cwd=cwd, check=True, capture_output=True, text=True).stdout


def fetched(folder: Path) -> dict[str, Path]:
    """Each peer's script, by its name."""
    (folder / "package.json").write_text('{"private": true}')
    names = [f"{name}@{version}" for name, version, _, _ in PEERS]
    node("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", *names, cwd=folder)
    found: dict[str, Path] = {}
    for name, version, file, _ in PEERS:
        package = folder / "node_modules" / name
        found[f"{name} {version}"] = package / file if file else bundled(folder, name)
    return found


def bundled(folder: Path, name: str) -> Path:
    """A package's entry and all it needs, as a shop's own bundler would pack it."""
    entry, out = folder / "entry.mjs", folder / f"{name.replace('/', '-')}.js"
    entry.write_text(f'import * as peer from "{name}"; globalThis.peer = peer;')
    esbuild = ROOT / "tracker" / "node_modules" / ".bin" / "esbuild"
    node(str(esbuild), str(entry), "--bundle", "--minify", "--target=es2021", "--format=iife", f"--outfile={out}")
    return out


def traced(browser: Browser, shop: Shop) -> dict[str, float]:
    """What one load of the page costs its main thread, until its first batch is sent: in milliseconds."""
    page = browser.new_page()
    browser.start_tracing(page=page, categories=["devtools.timeline", "disabled-by-default-devtools.timeline"])
    page.goto(shop.url)
    page.wait_for_timeout(SECONDS * 1_000)
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    page.close()
    ours = [event for event in events if "clickstream.js" in json.dumps(event.get("args", {}).get("data", {}))]

    def spent(*names: str) -> float:
        return sum(event.get("dur", 0) for event in ours if event["name"] in names) / 1_000

    main = {(event["pid"], event["tid"]) for event in ours if event["name"] == "EvaluateScript"}
    tasks = [event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in main]
    return {
        "evaluate": spent("EvaluateScript"),
        "calls": spent("FunctionCall"),
        "all": sum(task.get("dur", 0) for task in tasks) / 1_000,
        "long tasks": float(sum(1 for task in tasks if task.get("dur", 0) > 50_000)),
    }


def costs(scripts: dict[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """The medians, all scripts in turn in each round. Peers are only loaded, not even started."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in scripts}
    collector = Collector()
    shop = Shop(collector)
    with served(collector) as port, served(shop) as shop_port, sync_playwright() as playwright:
        collector.url = f"http://127.0.0.1:{port}/clickstream"
        shop.url = f"http://127.0.0.1:{shop_port}"
        browser = launch(playwright, "chromium")
        for _ in range(rounds):
            for name, path in scripts.items():
                shop.script = path.read_bytes()
                taken[name].append(traced(browser, shop))
        browser.close()
    assert len(collector.ids()) >= rounds  # ours has done its work meanwhile
    return {name: {key: statistics.median(one[key] for one in many) for key in many[0]} for name, many in taken.items()}


def main(rounds: int) -> None:
    """Measure, print two tables."""
    if not (ROOT / "tracker" / "node_modules").exists():
        node("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=ROOT / "tracker")
    folder = Path(tempfile.mkdtemp(prefix="clickstream-bench-"))
    try:
        scripts = {OURS: DIST / "clickstream.js", **fetched(folder)}
        sizes = json.loads(node("node", "-e", _MEASURE, *(str(path) for path in scripts.values())))
        lacks = {f"{name} {version}": text for name, version, _, text in PEERS}
        mine = sizes[0][1]
        print(f"{'package':38} {'bytes':>8} {'gzip -9':>8} {'brotli':>8} {'x ours':>7}  without")
        for name, (raw, gzip, brotli) in zip(scripts, sizes, strict=True):
            print(f"{name:38} {raw:8,} {gzip:8,} {brotli:8,} {gzip / mine:7.1f}  {lacks.get(name, '')}")
        empty = folder / "none.js"
        empty.write_text("0")
        found = costs({NONE: empty, **scripts}, rounds)
        base = max(found[OURS]["evaluate"], 0.01)
        print(f"\nmain thread of a page, median of {rounds} loads; the peers are loaded and not started")
        print(
            f"{'script':38} {'evaluate':>9} {'x ours':>7} {'calls after':>12} {'whole page':>11} {'tasks > 50 ms':>14}"
        )
        for name, cost in found.items():
            ratio = cost["evaluate"] / base
            print(
                f"{name:38} {cost['evaluate']:6.1f} ms {ratio:7.1f} {cost['calls']:9.1f} ms {cost['all']:8.0f} ms"
                f" {cost['long tasks']:14.0f}"
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)

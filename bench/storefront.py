"""What Lighthouse gives the storefront's home and a product page, with the tracker on.

Run: python bench/storefront.py [URL]      (a shop that runs; default: that of `make shop`)

Lighthouse comes from the npm registry, at a fixed version, into a folder that goes when the run ends. It is run as it comes:
a slow phone, simulated. The visitor has said yes to being counted, so the tracker runs and sends. Prints each score (of 100),
what took points, and when the largest part of the page was there.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from parts import claim
from playwright.sync_api import sync_playwright

from clickstream_dagster.local import node
from clickstream_dagster.settings import LOCAL_PORTS

LIGHTHOUSE = "lighthouse@12.8.2"
PAGES = {"home": "/", "product": "/product/sku-1026"}
CATEGORIES = ("performance", "accessibility", "best-practices")


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else f"http://localhost:{LOCAL_PORTS['shop']}"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        node.npm(folder, "install", "--silent", "--no-audit", "--no-fund", LIGHTHOUSE)
        port = _free_port()
        browser = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", f"--remote-debugging-port={port}"],
        )
        browser.add_cookies([{"name": "consent", "value": "granted", "url": url}])
        for page, path in PAGES.items():
            _tell(page, _report(folder, url + path, port))
        browser.close()


def _report(folder: Path, url: str, port: int) -> dict[str, Any]:
    lighthouse = str(folder / "node_modules" / ".bin" / "lighthouse")
    # The cookie stays: without it the page would ask, and the tracker would wait.
    options = (
        f"--port={port}",
        "--disable-storage-reset",
        "--output=json",
        "--quiet",
        f"--only-categories={','.join(CATEGORIES)}",
    )
    report: dict[str, Any] = json.loads(node.run(folder, lighthouse, url, *options))
    if fault := report.get("runtimeError"):
        raise SystemExit(f"Lighthouse could not look at {url}: {fault['message']}")
    return report


def _tell(page: str, report: dict[str, Any]) -> None:
    requests = report["audits"]["network-requests"]["details"]["items"]
    sent = sum(one["url"].endswith("/clickstream") for one in requests)
    largest = report["audits"]["largest-contentful-paint"]["displayValue"]
    print(f"{page}: the largest part after {largest}; {sent} requests of the tracker")
    for name in CATEGORIES:
        category = report["categories"][name]
        claim(f"{page} of the storefront, {name}", "100, Lighthouse", category["score"] * 100, 95, at_least=True)
        for part in category["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 1:
                print(f"  {audit['title']}: {audit['score']:.2f} {audit.get('displayValue', '')}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()

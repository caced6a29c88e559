"""The built files are those of the sources, strictly typed, and within the size that was promised."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from clickstream_dagster.local.node import npm, run
from tracker_site import DIST, ROOT

BUDGET = 5_120
TRACKER = ROOT / "tracker"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with their tools, in a folder of their own."""
    folder = tmp_path_factory.mktemp("tracker") / "tracker"
    shutil.copytree(TRACKER, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    npm(folder, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    return folder


def test_the_script_is_within_its_budget() -> None:
    packed = len(gzip.compress((DIST / "clickstream.js").read_bytes(), 9, mtime=0))
    assert packed <= BUDGET, f"{packed - BUDGET} bytes too many"


def test_the_built_files_are_those_of_the_sources(copy: Path) -> None:
    npm(copy, "run", "build")
    built = {file.name: file.read_bytes() for file in (copy / "dist").iterdir()}
    kept = {file.name: file.read_bytes() for file in DIST.iterdir()}
    assert built.keys() == kept.keys()
    assert [name for name in built if built[name] != kept[name]] == [], "run npm run build in tracker/"


SHOP = """
import { start, type Product, type Tracker } from "clickstream-tracker";

const clickstream: Tracker = start({ endpoint: "https://api.shop.example/clickstream", consent: "none" });
const laptop: Product = { id: "sku-1", name: "Laptop", price: "1200.00" };
clickstream.viewProduct({ ...laptop, currency: "EUR" });
clickstream.addToCart(laptop, 2);
clickstream.purchase({ id: "o-1", value: 12.5, currency: "EUR", items: [{ product_id: "sku-1", price: 12.5 }] });
clickstream.track("add_to_wishlist", { product: laptop, props: { list: "birthday" } });
const waiting: Promise<number> = clickstream.flush().then(() => clickstream.pending());
// @ts-expect-error a product has no such field
clickstream.viewProduct({ id: "sku-1", colour: "red" });
// @ts-expect-error the collector makes this one
clickstream.track("x", { received_at: "now" });
// @ts-expect-error no such level
clickstream.consent("all");
console.log(typeof waiting);
"""


def test_a_shop_in_typescript_is_checked_by_the_generated_types(copy: Path) -> None:
    if not (copy / "dist").exists():
        shutil.copytree(DIST, copy / "dist")
    shop = copy / "shop"
    (shop / "node_modules").mkdir(parents=True, exist_ok=True)
    (shop / "node_modules" / "clickstream-tracker").symlink_to(copy, target_is_directory=True)
    (shop / "shop.mts").write_text(SHOP)
    options = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2022,dom"]
    run(shop, str(copy / "node_modules" / ".bin" / "tsc"), *options, "shop.mts")


def test_the_module_can_be_loaded_where_there_is_no_page() -> None:
    """As a shop that renders on its server does."""
    code = "import('./clickstream.mjs').then(({start}) => { const c = start(); c.purchase({id: '1'}); c.flush() })"
    run(DIST, "node", "-e", code)


def test_the_script_uses_no_name_of_the_page_s() -> None:
    text = (DIST / "clickstream.js").read_text()
    assert text.startswith("(()=>{")
    assert "eval(" not in text and "document.write" not in text and "preventDefault" not in text

"""`python -m infra_cfn.costs.cost` writes docs/costs.md and its chart."""

from __future__ import annotations

from pathlib import Path

from infra_cfn.costs import chart, page, prices

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, CHART = DOCS / "costs.md", DOCS / "images" / "costs.svg"


def written() -> dict[Path, str]:
    """Each file, and what belongs in it."""
    table = prices.read()
    return {PAGE: page.text(table), CHART: chart.svg(list(page.bills(table).items()))}


if __name__ == "__main__":
    for file, content in written().items():
        file.write_text(content, encoding="utf-8")

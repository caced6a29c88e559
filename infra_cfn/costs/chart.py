"""The chart of the page: what share of each bill goes where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

#: Part of the bill -> its colour, and the rows that it sums. Readable on white and on black.
PARTS = {
    "collecting, raw events, tick": ("#2f7ed8", ("API", "Lambda", "Data out", "S3, one", "S3, raw")),
    "machine": ("#e07b39", ("EC2, warehouse",)),
    "disks, snapshots, backups": ("#3a9a5b", ("EBS", "S3, nightly")),
    "endpoints": ("#b04a8f", ("Interface",)),
    "watching": ("#8a8a8a", ("CloudWatch",)),
}
WIDTH, LEFT, BAR, STEP = 720, 150, 26, 44


def parts(rows: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Dollars of each part of the chart."""
    return {
        part: sum((dollars for row, dollars in rows.items() if row.startswith(starts)), Decimal(0))
        for part, (_, starts) in PARTS.items()
    }


def svg(bills: Sequence[tuple[str, Mapping[str, Decimal]]]) -> str:
    """One bar for each bill, all of the same length, and the legend below."""
    bars = [_bar(place, name, rows) for place, (name, rows) in enumerate(bills)]
    height = STEP * len(bills) + 40
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
    return "\n".join(
        [head, "<title>Shares of the monthly bill</title>", *bars, _legend(STEP * len(bills) + 16), "</svg>", ""]
    )


def _bar(place: int, name: str, rows: Mapping[str, Decimal]) -> str:
    top, left = place * STEP + 8, Decimal(LEFT)
    whole = sum(rows.values(), Decimal(0))
    drawn = [f'<text x="{LEFT - 8}" y="{top + 17}" text-anchor="end" fill="#777">{name}</text>']
    for part, dollars in parts(rows).items():
        width = dollars / whole * (WIDTH - LEFT)
        colour, percent = PARTS[part][0], dollars / whole * 100
        drawn.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        if percent >= 6:
            middle = left + width / 2
            drawn.append(
                f'<text x="{middle:.1f}" y="{top + 17}" text-anchor="middle" fill="#fff">{percent:.0f} %</text>'
            )
        left += width
    return "\n".join(drawn)


def _legend(top: int) -> str:
    drawn, left = [], 10
    for part, (colour, _) in PARTS.items():
        drawn.append(f'<rect x="{left}" y="{top - 9}" width="10" height="10" fill="{colour}"/>')
        drawn.append(f'<text x="{left + 15}" y="{top}" fill="#777">{part}</text>')
        left += 35 + 6 * len(part)
    return "\n".join(drawn)

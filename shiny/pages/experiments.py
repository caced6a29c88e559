"""Experiments: which variant sells more, how sure that is, and what is still missing."""

from __future__ import annotations

from boxes import Boxes
from cards import Card, Column
from pages import experiment_rows
from pages.experiment_blocks import blocks

TITLE = "Experiments"
ABOUT = (
    "Visitors by the variant that they were shown first, in this period, and what they bought from then on, within 30 days. "
    "Bought counts visitors with an order. Who was shown several variants of an experiment is in none of them."
)
PARTS = (
    Boxes("verdicts", blocks),
    Card(
        "variants",
        "All variants as a table",
        "The same numbers, with the 95 % interval of the conversion (Wilson); mixed are visitors who were shown this variant "
        "first, and then another. Net revenue is in the shop's currency, after refunds. The newest "
        f"{experiment_rows.MOST_EXPERIMENTS} experiments, and of each the {experiment_rows.MOST_VARIANTS} variants with most "
        "visitors.",
        experiment_rows.table,
        {
            "experiment": Column("Experiment"),
            "variant": Column("Variant"),
            "visitors": Column("Visitors", "count"),
            "buyers": Column("Bought", "count"),
            "conversion": Column("Conversion %", "percent", of="visitors"),
            "low": Column("From %", "percent"),
            "high": Column("To %", "percent"),
            "orders": Column("Orders", "count"),
            "net_revenue": Column("Net revenue", "money"),
            "per_visitor": Column("Per visitor", "money"),
            "mixed": Column("Mixed", "count"),
        },
        height="170px",
        empty="No visitor was shown a variant for the first time in this period and with these filters.",
    ),
)

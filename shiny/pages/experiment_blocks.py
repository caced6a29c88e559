"""An experiment as a block: the verdict in a sentence, what is wrong with it, and its variants with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from htmltools import Tag, tags

from boxes import Box
from cards import explained
from formats import DASH, FEW, count, money, percent
from noise import Interval, average, welch, wilson
from pages import experiment_rows
from pages.experiment_rows import Experiment
from pages.experiment_verdict import SPLIT_P, Variant, lift, split_p, verdict
from queries import Warehouse, own_currency
from view import View

#: Above this part of the visitors, those who saw several variants are worth a word.
MIXED = 0.01
_ABOUT = (
    "Conversion: visitors who bought / visitors, with its 95 % interval (Wilson). Against the control: the difference in points, "
    "with an interval that holds on all looks together (a confidence sequence), so you may look every day; it decides the "
    "sentence. Revenue: net, per visitor, those with none among them, in the shop's currency; its interval (Welch for the "
    "difference) is that of one look: with a look every day it is too narrow. The control is the variant called control, else "
    "the first by name."
)
_EXAMPLE = """window.clickstream ||= [];
window.clickstream.push(["track", "experiment_viewed", { experiment: "cart-button", variant: "green" }]);"""
_HEADS = (
    "Variant",
    "Visitors",
    "Bought",
    "Conversion",
    "",
    "Against the control",
    "Revenue per visitor",
    "Against the control",
)


async def blocks(warehouse: Warehouse, view: View) -> tuple[Tag, Sequence[Box]]:
    """A block for each experiment; where there is none, what to send."""
    found = await experiment_rows.experiments(warehouse, view)
    if not found:
        return _empty(await experiment_rows.last_on(warehouse) is not None), ()
    own = await own_currency(warehouse)
    return tags.div(*(block(one, own) for one in found), class_="experiments"), ()


def block(one: Experiment, currency: str) -> Tag:
    """One experiment."""
    days = f"{one.first_on:%-d %b} to {one.last_on:%-d %b %Y}"
    return tags.section(
        tags.h2(tags.bdi(one.name), explained(one.name, _ABOUT), tags.small(days, class_="hint"), class_="row-head"),
        *(tags.p(text, class_="card-problem", role="alert") for text in faults(one)),
        tags.p(verdict(one.variants, one.days), class_="verdict"),
        _table(one, currency),
        *(tags.p(text, class_="hint") for text in notes(one)),
        class_="card experiment",
    )


def faults(one: Experiment) -> list[str]:
    """What makes the numbers unsound."""
    visitors = [variant.visitors for variant in one.variants]
    told = []
    if len(visitors) > 1 and split_p(visitors) < SPLIT_P:
        told.append(
            f"The split is not what chance gives ({' to '.join(map(count, visitors))}), if all variants were to get alike: "
            "look at the assignment before the numbers."
        )
    if one.mixed > MIXED * (sum(visitors) + one.mixed):
        told.append(
            f"{count(one.mixed)} visitors ({percent(one.mixed / (sum(visitors) + one.mixed))}) were shown several variants: the "
            "assignment does not stick to the browser."
        )
    return told


def notes(one: Experiment) -> list[str]:
    """What is left out."""
    told = []
    if 0 < one.mixed <= MIXED * (sum(variant.visitors for variant in one.variants) + one.mixed):
        told.append(f"{count(one.mixed)} visitors who were shown several variants are in none.")
    if one.more > 0:
        told.append(f"{count(one.more)} variants with fewer visitors are not shown.")
    if one.other_orders:
        told.append(f"{count(one.other_orders)} orders in other currencies are not in these amounts.")
    return told


def _table(one: Experiment, currency: str) -> Tag:
    control = one.variants[0] if one.variants else None
    found = [wilson(v.buyers, v.visitors) for v in one.variants]
    top = max((each.high for each in found if each), default=1.0)
    rows = [_row(v, control, each, top, len(one.variants) - 1) for v, each in zip(one.variants, found, strict=True)]
    heads = [*_HEADS[:6], *(f"{label}, {currency}" for label in _HEADS[6:])]
    head = tags.tr(*(tags.th(label, scope="col") for label in heads))
    return tags.table(tags.thead(head), tags.tbody(*rows), class_="variants")


def _row(one: Variant, control: Variant | None, rate: Interval | None, top: float, comparisons: int) -> Tag:
    """Pale where few visitors stand behind it."""
    is_control = control is None or one is control
    points = lift(one, control, comparisons) if control and not is_control and _is_enough(one, control) else None
    cells: list[Tag | str] = [
        tags.bdi(one.name),
        count(one.visitors),
        count(one.buyers),
        _with(rate, percent),
        _picture(rate, top),
        "control" if is_control else _with(points, _points),
        _with(average(one.money), money) if one.visitors >= FEW else money(one.money.average),
        "" if is_control or control is None else _with(welch(one.money, control.money), _plus),
    ]
    labels = [*_HEADS[:4], "Interval", *_HEADS[5:]]
    shown = (tags.td(cell, data_label=label) for cell, label in zip(cells, labels, strict=True))
    return tags.tr(*shown, class_="few" if one.visitors < FEW else None)


def _is_enough(*variants: Variant) -> bool:
    """Whether a difference may be told: with fewer, its interval is not what it says."""
    return min(one.visitors for one in variants) >= FEW and sum(one.buyers for one in variants) > 0


def _with(interval: Interval | None, told: Callable[[float], str]) -> Tag | str:
    """A number with its interval below it."""
    if interval is None:
        return DASH
    between = f"{told(interval.low).removesuffix(' %').removesuffix(' points')} to {told(interval.high)}"
    return tags.span(told(interval.value), tags.small(between, class_="interval"))


def _points(value: float) -> str:
    return f"{100 * value:+.2f} points"


def _plus(value: float) -> str:
    return f"{value:+,.2f}"


def _picture(rate: Interval | None, top: float) -> Tag | str:
    """The interval as a line with its middle, on one scale for all variants."""
    if rate is None:
        return ""
    low, high, middle = (f"{100 * part / top:.1f}" for part in (rate.low, rate.high, rate.value))
    across = {"y1": "8", "y2": "8", "stroke": "currentColor", "stroke_linecap": "round"}
    return tags.svg(
        Tag("line", x1=low, x2=high, stroke_width="2", **across),
        Tag("line", x1=middle, x2=middle, stroke_width="8", **across),
        viewBox="-3 0 106 16",
        preserveAspectRatio="none",
        class_="interval-line",
        aria_hidden="true",
    )


def _empty(was_any: bool) -> Tag:
    """What to send."""
    said = (
        "No visitor was shown a variant for the first time in this period and with these filters. Choose other dates above."
        if was_any
        else "No event names an experiment yet. Tell the tracker which variant a visitor is shown, at the moment it is shown:"
    )
    how = tags.p(
        "Or put experiment and variant on the page view itself. What GrowthBook and Segment send as experiment_viewed is read as "
        "it is, and so is GA4's experience_impression. Give a browser the same variant each time."
    )
    return tags.section(
        tags.p(said), *([] if was_any else [tags.pre(tags.code(_EXAMPLE)), how]), class_="card experiment"
    )

"""What numbers can be told apart by. A value of a dimension is a link, in a table and in a chart: three of them filter every
page, a day becomes the period, and any other has a page about it."""

from __future__ import annotations

from dataclasses import dataclass

from names import in_words
from origins import SOURCE
from queries import PERIOD

SEGMENTS = ("channel", "device", "country")
DAY = "day"
#: No longer value has a page about it: it is in the address.
LONGEST_VALUE = 500


@dataclass(frozen=True)
class Dimension:
    """`page` is about one value, where there is such a page; `home` lists them all. `where` says which rows of fact_sessions have
    the value %(about)s."""

    label: str
    page: str = ""
    home: str = ""
    where: str = ""


def _of_sessions(label: str, home: str, where: str) -> Dimension:
    return Dimension(label, "visits", home, where)


_SEEN = f"session_key in (select session_key from {{table}} where {PERIOD} and {{column}} = %(about)s)"
DIMENSIONS = {
    "channel": Dimension("Channel"),
    "device": Dimension("Device"),
    "country": Dimension("Country"),
    DAY: Dimension("Day"),
    "product": Dimension("Product", "product", "products"),
    "source": _of_sessions("Source", "acquisition", f"%(about)s in (coalesce({SOURCE}, '(none)'), source)"),
    "medium": _of_sessions("Medium", "acquisition", "coalesce(medium, '(none)') = %(about)s"),
    "source-medium": _of_sessions(
        "Source / medium",
        "acquisition",
        f"coalesce({SOURCE}, '(none)') || ' / ' || coalesce(medium, '(none)') = %(about)s",
    ),
    "campaign": _of_sessions("Campaign", "acquisition", "coalesce(campaign, '(none)') = %(about)s"),
    "landing": _of_sessions("Landing page", "acquisition", "coalesce(entry_path, '(none)') = %(about)s"),
    "path": _of_sessions("Page seen", "overview", _SEEN.format(table="fact_session_pages", column="page_path")),
    "term": _of_sessions("Search for", "search", _SEEN.format(table="fact_session_searches", column="term")),
    "browser": _of_sessions("Browser", "overview", "coalesce(browser, '(none)') = %(about)s"),
    "system": _of_sessions("System", "overview", "coalesce(operating_system, '(none)') = %(about)s"),
}
#: Pages that show nothing without a value to be about.
ABOUT_ONE = frozenset(dimension.page for dimension in DIMENSIONS.values() if dimension.page)


def told(about: tuple[str, str]) -> str:
    """A dimension and its value, in words."""
    name, value = about
    return f"{DIMENSIONS[name].label} {in_words(name, value)}"

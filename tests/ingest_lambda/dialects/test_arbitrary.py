"""Whatever lies in the shape of a dialect is an event, or is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from test_golden import NOW

from ingest_lambda.contract import Event, Reject
from ingest_lambda.dialects import ga4, measurement_protocol, segment, self_describing, snowplow
from ingest_lambda.normalize import normalize

PLACES = sorted(
    {
        *segment._ORDER.fields,
        *segment.DROPPED,
        *ga4._ORDER_TABLE.fields,
        *measurement_protocol._ORDER_TABLE.fields,
        *snowplow._ORDER_TABLE.fields,
        *("type", "event", "name", "schema", "data", "contexts", "unstruct_event", "batch", "params", "0", "1", "2"),
        *(
            self_describing.ACTION,
            self_describing.PRODUCTS,
            "collector_tstamp",
            "ecommerce",
            "properties",
            "context",
            "traits",
        ),
    }
)
WORDS = st.sampled_from(
    ["track", "page", "identify", "purchase", "event", "Order Completed", "view_item", "c", "1", "iglu:a"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PLACES) | WORDS | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for place, value in flat.items():
        node = made
        *parents, last = place.split(".")
        for parent in parents:
            node = held if isinstance(held := node.setdefault(parent, {}), dict) else {}
        node[last] = value
    return made


@given(st.dictionaries(st.sampled_from(PLACES), WORDS | JSON, max_size=10).map(_nested) | JSON)
def test_any_json_is_an_event_or_refused(record: Any) -> None:
    with suppress(Reject):
        assert isinstance(normalize(record, received_at=NOW, salt="pepper"), Event)

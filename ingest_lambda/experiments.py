"""Which variant of which experiment was shown: by the contract's fields on any event, or in the words of a tool."""

from __future__ import annotations

from typing import Any

from ingest_lambda.contract import EventWarning, Reject
from ingest_lambda.fields import FIELDS
from ingest_lambda.words import keep, snake

#: Events by which tools say that somebody was shown a variant: Segment's `Experiment Viewed`, GrowthBook, and whatever
#: reports to GA4 as Google asks it to. Only in these do the words below mean what they say: a `variation_id` may be a product's.
EXPOSURES = frozenset(("experiment_viewed", "experience_impression"))
#: An id comes before a name, which may change while the experiment runs.
WORDS = {
    "experiment": ("experiment_id", "experiment_key", "experiment_name"),
    "variant": ("variation_id", "variant_id", "variation_key", "variant_key", "variation_name", "variant_name"),
}
#: `TOOL-EXPERIMENT-VARIANT`, in one.
IN_ONE = "exp_variant_string"


def pair(values: dict[str, Any], props: dict[str, Any]) -> list[EventWarning]:
    """The two fields together or none of them: one alone goes to props, where a product's variant was always kept."""
    experiment, variant = values.get("experiment"), values.get("variant")
    if experiment is None and variant is not None:
        keep(props, ("variant",), values.pop("variant"))
    elif experiment is not None and variant is None:
        keep(props, ("experiment",), values.pop("experiment"))
        return [EventWarning("missing_variant", "variant")]
    return []


def take(values: dict[str, Any], props: dict[str, Any]) -> list[EventWarning]:
    """What the words of a tool say, out of props."""
    warnings: list[EventWarning] = []
    name = values.get("event_name")
    if not isinstance(name, str) or name not in EXPOSURES:  # what it is has not been looked at yet
        return warnings
    keys = {snake(key): key for key in props}
    if IN_ONE in keys and "experiment" not in values and "variant" not in values:
        said = props[keys[IN_ONE]]
        tool, _, rest = said.partition("-") if isinstance(said, str) else ("", "", "")
        experiment, _, variant = rest.rpartition("-")
        if tool and experiment and variant:
            del props[keys[IN_ONE]]
            props["experiment_tool"] = tool
            return _set(values, props, "experiment", experiment) + _set(values, props, "variant", variant)
    for field, words in WORDS.items():
        found = next((keys[word] for word in words if props.get(keys.get(word, word)) not in (None, "")), None)
        if found is not None and field not in values:
            warnings += _set(values, props, field, props.pop(found), found)
    return warnings


def _set(
    values: dict[str, Any], props: dict[str, Any], field: str, value: Any, source: str | None = None
) -> list[EventWarning]:
    try:
        read = FIELDS[field](value, field)
    except Reject as reason:
        keep(props, (source or field,), value)
        return [EventWarning(reason.code, field)]
    if read is not None:
        values[field] = read
    return []

"""Texts that are longer than the contract allows: the field has the beginning, and `props` the whole."""

from __future__ import annotations

from typing import Any, get_args

from msgspec import Meta

from ingest_lambda import contract
from ingest_lambda.contract import ESSENTIAL_FIELDS, EventWarning
from ingest_lambda.fields import FIELDS, ID_FIELDS, LINE_FIELDS, hints, nested_struct
from ingest_lambda.words import keep


def _limit(hint: Any) -> int | None:
    if isinstance(hint, Meta):
        return hint.max_length
    return next((limit for part in _parts(hint) if (limit := _limit(part)) is not None), None)


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) + tuple(getattr(hint, "__metadata__", ()))


def _limits(struct: type, prefix: str = "") -> dict[str, int]:
    found: dict[str, int] = {}
    for name, hint in hints(struct).items():
        nested = nested_struct(hint)
        if nested is not None:
            found |= _limits(nested, f"{prefix}{name}.")
        elif prefix + name not in LINE_FIELDS and (limit := _limit(hint)):
            found[prefix + name] = limit
    return found


LIMITS = {
    path: limit for path, limit in _limits(contract.Event).items() if path in FIELDS and path not in ESSENTIAL_FIELDS
}
_SHORTEST = min(LIMITS.values())
LINE_LIMITS = _limits(contract.OrderItem)
_LINE_IDS = frozenset(("product_id",))


def fit(values: dict[str, Any], props: dict[str, Any]) -> list[EventWarning]:
    """Cut what is too long. An id is not cut, since that would make two things one: it goes as a whole."""
    warnings: list[EventWarning] = []
    long = [path for path, value in values.items() if isinstance(value, str) and len(value) > _SHORTEST]
    for path in [path for path in long if len(values[path]) > LIMITS.get(path, len(values[path]))]:
        whole = values.pop(path)
        keep(props, tuple(path.split(".")), whole)
        if path not in ID_FIELDS:
            values[path] = whole[: LIMITS[path]]
        warnings.append(EventWarning("too_long", path))
    for path in LINE_FIELDS & values.keys():
        for index, line in enumerate(values[path]):
            warnings += _fit_line(line, props, f"{path}[{index}]")
    return warnings


def _fit_line(line: dict[str, Any], props: dict[str, Any], place: str) -> list[EventWarning]:
    found = [
        name
        for name, value in line.items()
        if isinstance(value, str) and len(value) > LINE_LIMITS.get(name, len(value))
    ]
    for name in found:
        whole = line.pop(name)
        keep(props, ("too_long", f"{place}.{name}"), whole)
        if name not in _LINE_IDS:
            line[name] = whole[: LINE_LIMITS[name]]
    return [EventWarning("too_long", f"{place}.{name}") for name in found]

"""How long things are kept, as the settings say it, at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clickstream_dagster.settings import Settings
from ingest_lambda import landing


class NoPolicy(RuntimeError):
    """Everything is kept for ever; the message says how to change that."""


@dataclass(frozen=True)
class Policy:
    """What was received before these midnights (UTC) goes; None: it is kept for ever."""

    raw_from: datetime | None
    rejected_from: datetime | None
    events_from: datetime | None

    @property
    def stored_from(self) -> datetime:
        """Nothing that was received from then on leaves the store."""
        return max(moment for moment in (self.raw_from, self.rejected_from) if moment)

    def is_old(self, key: str, hour: datetime) -> bool:
        """Whether an object is to leave the store. What the collector refused goes by the rule of rejects, if that is shorter."""
        is_rejected = key.startswith(f"{landing.REJECTED}/")
        horizon = max(
            (moment for moment in (self.raw_from, self.rejected_from if is_rejected else None) if moment), default=None
        )
        return horizon is not None and hour < horizon


def policy(settings: Settings, now: datetime) -> Policy:
    """The policy of the settings. Raises `NoPolicy` when there is none."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    kept = (settings.keep_raw_days, settings.keep_rejected_days, settings.keep_events_days)
    if not any(kept):
        raise NoPolicy(
            "Everything is kept for ever. Say how many days raw objects, rejected events and events are kept with "
            "CLICKSTREAM_KEEP_RAW_DAYS, CLICKSTREAM_KEEP_REJECTED_DAYS and CLICKSTREAM_KEEP_EVENTS_DAYS."
        )
    return Policy(*(midnight - timedelta(days=days) if days else None for days in kept))

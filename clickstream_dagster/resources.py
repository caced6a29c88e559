"""The Dagster resource that opens the warehouse and the raw store. Settings come from the environment, when first used."""

from functools import cache

import dagster as dg

from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack


class Platform(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse and the raw store that the environment names, opened once per process."""

    @property
    def stack(self) -> Stack:
        """See `clickstream_dagster.stack`."""
        return _stack()


def hold_embedded_postgres() -> None:
    """Keep the embedded PostgreSQL running as long as this process does; nothing to do for a server of your own."""
    if _stack().settings.is_embedded:
        assert _stack().server


@cache
def _stack() -> Stack:
    return Stack(load_settings())

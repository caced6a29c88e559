"""The dashboard from outside: the folder of its modules, which is no package, and what it reads of our environment."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.reader import READER_ROLE


class NoDashboard(RuntimeError):
    """What the dashboard is made of is not installed; the message says what is."""


def dashboard_folder() -> str:
    """For `uvicorn --app-dir`, and for programs that lie in it. Raises `NoDashboard`."""
    if find_spec("shiny") is None:
        raise NoDashboard("The dashboard's parts are not installed. Run: pip install 'clickstream[dashboard]'")
    places = find_spec("clickstream_shiny").submodule_search_locations  # type: ignore[union-attr]
    return next(place for place in places or () if Path(place).is_dir())


def reader_environment(stack: Stack) -> dict[str, str]:
    """The variables that the dashboard reads, for the warehouse of this stack."""
    server = stack.server
    user, password = stack.settings.reader or (READER_ROLE, "")
    return {
        "DW_PG_HOST": server.host,
        "DW_PG_PORT": str(server.port),
        "DW_PG_DATABASE": server.database,
        "DW_PG_SSL": str(server.ssl).lower(),
        "DW_PG_READER_USER": user,
        "DW_PG_READER_PASSWORD": password,
    }

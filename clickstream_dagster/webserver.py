"""Dagster's webserver behind the front:  python -m clickstream_dagster.webserver --workspace workspace.yaml

Its own command offers no place for a middleware; this is what it does, with the front around the app.
"""

from __future__ import annotations

import argparse

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from clickstream_dagster.front import servers
from clickstream_dagster.settings import LOCAL_PORTS, load_front

LOG_LEVEL = "warning"
#: As Dagster's own command has them, but that connections are renewed more often: PostgreSQL may have been restarted.
STATEMENT_TIMEOUT_MS = 15_000
POOL_RECYCLE_SECONDS = 300
MAX_OVERFLOW = 20
POLL_MS = 2_000
#: For requests under way when the server is told to end.
GRACE_SECONDS = 3


def main() -> None:
    """Serve until interrupted (Ctrl-C, SIGTERM)."""
    parser = argparse.ArgumentParser(prog="python -m clickstream_dagster.webserver")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=LOCAL_PORTS["dagster"], type=int)
    parser.add_argument("--workspace", required=True)
    asked = parser.parse_args()
    configure_loggers(log_level=LOG_LEVEL.upper())
    setup_interrupt_handlers()
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            statement_timeout=STATEMENT_TIMEOUT_MS, pool_recycle=POOL_RECYCLE_SECONDS, max_overflow=MAX_OVERFLOW
        )
        target = WorkspaceFileTarget(paths=[asked.workspace])
        with WorkspaceProcessContext(instance, target, __version__, code_server_log_level=LOG_LEVEL) as workspace:
            app = create_app_from_workspace_process_context(workspace, live_data_poll_rate=POLL_MS)
            uvicorn.run(
                servers.dagster(app, load_front()),
                host=asked.host,
                port=asked.port,
                log_level=LOG_LEVEL,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )


if __name__ == "__main__":
    main()

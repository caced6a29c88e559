"""The gateway's server."""

from __future__ import annotations

import contextlib
import errno
import resource
import socket

import uvicorn

from clickstream_dagster.local.gateway.api_event import ASGIApp
from clickstream_dagster.local.gateway.connections import MAX_CONNECTIONS, BoundedProtocol

HOST = "127.0.0.1"
PORT = 8787


class PortInUse(RuntimeError):
    """The port already has a server. The message says what to do next."""


def serve(served: ASGIApp, host: str = HOST, port: int = PORT) -> None:
    """Serve until interrupted (Ctrl-C, SIGTERM). Raises `PortInUse` before anything is served."""
    _allow_connections()
    # uvicorn stops cleanly and then raises the interrupt once more for its caller; nothing is left to interrupt here.
    with listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config(served)).run(sockets=[listener])


def config(served: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the gateway."""
    return uvicorn.Config(
        served,
        http=BoundedProtocol,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


def listen(host: str = HOST, port: int = PORT) -> socket.socket:
    """A listening socket. uvicorn would log a taken port and exit; here the caller gets an error that it can show."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(
            f"Port {port} on {host} is already in use. Stop the server that has it, or choose another port."
        ) from error


def _allow_connections() -> None:
    """A connection is an open file, of which many systems allow a process fewer than it could have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + 200
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

"""Which names a server of ours answers to.

A browser sends the name in the address bar as `Host`. A name that its owner has pointed at this machine (DNS rebinding)
would make a stranger's page one of our own, so only names that are listed are ours. An address cannot be rebound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
#: A server that listens on these listens on every address that its machine has.
EVERY_ADDRESS = frozenset({"0.0.0.0", "[::]"})  # noqa: S104 - names that are compared, nothing is bound

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|\[.*\]")


def is_served(host: str, names: Iterable[str]) -> bool:
    """Is the `Host` header of a request, with any port, loopback or one of these names or addresses? One of
    `EVERY_ADDRESS` among them stands for all addresses. An IPv6 address is written with or without its brackets."""
    found = _HOST.fullmatch(host.lower())
    if found is None:
        return False
    ours = {f"[{name}]" if ":" in name and name[0] != "[" else name.lower() for name in names}
    is_address = bool(EVERY_ADDRESS & ours) and bool(_ADDRESS.fullmatch(found[1]))
    return is_address or found[1] in ours | LOOPBACK


def is_own_origin(origin: str, host: str) -> bool:
    """Is the `Origin` of a request a page of the same host and port as its `Host`? Whether the host is ours, says
    `is_served`. The scheme is not compared: a proxy may have taken TLS away."""
    scheme, _, place = origin.lower().partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    return default is not None and bool(place) and place == host.lower().removesuffix(default)

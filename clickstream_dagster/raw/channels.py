"""The rules of `channels.yml`, and the label that they give to what an event says of its origin.

Definitions: docs/metrics.md, "channel". A label is made once for each distinct origin, so nothing here need be fast.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from clickstream_dagster.raw import channel_file, referrers
from clickstream_dagster.raw.sources import Origin, folded
from ingest_lambda import ids

#: Below a host of these kinds everything is of its kind; below a search engine's is much else.
_WITH_SUBDOMAINS = ("social", "display")
_TEMPLATE = re.compile(r"(?:\{\{?|\$\{|\[|%)[a-z_.: ]{1,60}(?:\}\}?|\]|%)\Z")
_MEDIA = {"search": "organic", "social": "social", "video": "video"}


class Label(NamedTuple):
    """Where a visit came from; no channel when the origin is none (the shop itself, a payment gateway). `is_tagged`: by the
    address, and not by the referrer."""

    channel: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    is_tagged: bool = False


class Click(NamedTuple):
    """What the parameter of a network says."""

    source: str
    kind: str
    is_paid: bool


class Facts(NamedTuple):
    """What the lines of a scheme ask for."""

    source: str | None
    media: frozenset[str]
    is_paid: bool
    campaign: str
    is_tagged: bool

    def meet(self, line: Mapping[str, Any]) -> bool:
        """Does everything hold that this line of a scheme asks for?"""
        return (
            line.get("kind") in (None, self.source, *self.media)
            and line.get("source") in (None, self.source)
            and line.get("medium") in (None, *self.media)
            and line.get("is_paid") in (None, self.is_paid)
            and line.get("is_tagged") in (None, self.is_tagged)
            and ("campaign" not in line or bool(channel_file.compiled(line["campaign"]).fullmatch(self.campaign)))
        )


class Rules:
    """`text` is that of a channels.yml; `own_hosts` are the shop's and its payment gateways', besides those in it."""

    def __init__(self, text: str, own_hosts: Collection[str] = ()) -> None:
        self.text = text
        self.own_hosts = tuple(own_hosts)

    @cached_property
    def version(self) -> str:
        """Another one labels everything anew: of the file, of the list behind it, or of the code."""
        files = (Path(__file__), Path(channel_file.__file__), Path(ids.__file__), referrers.FILE)
        parts = (self.text.encode(), repr(self.own_hosts).encode(), *(file.read_bytes() for file in files))
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def label(self, origin: Origin, shop_hosts: Collection[str]) -> Label:
        """The label of an origin. `shop_hosts` are those that pages of the shop were seen on."""
        click = next((self._clicks[name] for name in origin.parameters if name in self._clicks), None)
        source, medium, campaign = map(_said, (origin.utm_source, origin.utm_medium, origin.utm_campaign))
        if source or medium or campaign:
            return self._named(source, medium, campaign, click, is_tagged=True)
        if click:
            is_cpc = click.is_paid and click.kind != "display"
            return self._named(click.source, "cpc" if is_cpc else None, None, click, is_tagged=True)
        host = self.host(origin.referrer_host or "")
        kind = self._kind(host) if host else "none"
        is_learned = host in shop_hosts and kind is None
        if kind == "none" or is_learned or any(_is_under(host, own) for own in self.own_hosts):
            return Label()
        return self._named(host, _MEDIA.get(kind or "", "referral"), None, None, is_tagged=False)

    def packages(self, hosts: Collection[str]) -> list[str]:
        """The apps that stand for these hosts by name; all others do by the beginning of their own name."""
        return [package for package, host in self._apps.items() if host in hosts]

    def _named(
        self, source: str | None, medium: str | None, campaign: str | None, click: Click | None, is_tagged: bool
    ) -> Label:
        media = frozenset(kind for kind, pattern in self._media.items() if pattern.fullmatch(medium or ""))
        # The network that was paid for a click knows better what it was than whoever wrote the tags.
        is_known = click and (click.is_paid or click.source == source)
        kind = click.kind if click and is_known else (source and self._kind(source)) or (click and click.kind)
        is_paid = "paid" in media or bool(click and click.is_paid)
        facts = Facts(kind, media, is_paid, campaign or "", is_tagged)
        channel = next((line["channel"] for line in self._scheme if facts.meet(line)), "unassigned")
        return Label(channel, source, medium, campaign, is_tagged)

    def host(self, host: str) -> str:
        """The host that a referrer stands for: an app's is its network's."""
        scheme, is_app, package = host.partition("://")
        if not is_app:
            return scheme
        return self._apps.get(package) or ".".join(reversed(package.split(".")[:2]))

    def _kind(self, name: str) -> str | None:
        listed = referrers.kinds()
        if name in self._sources or name in listed:
            return self._sources.get(name) or listed.get(name)
        for parent in _parents(name):
            kind = self._sources.get(parent) or listed.get(parent)
            if kind in _WITH_SUBDOMAINS or (kind != "search" and parent in self._sources):
                return kind
        return next((kind for kind, pattern in self._patterns if pattern.fullmatch(name)), None)

    @cached_property
    def _file(self) -> dict[str, Any]:
        return channel_file.read(self.text)

    @cached_property
    def _clicks(self) -> dict[str, Click]:
        return {
            folded(name): Click(folded(entry["source"]), entry["kind"], bool(entry.get("is_paid")))
            for name, entry in self._file["click_ids"].items()
        }

    @cached_property
    def _apps(self) -> dict[str, str]:
        return {folded(package): folded(host) for package, host in self._file["apps"].items()}

    @cached_property
    def _media(self) -> dict[str, re.Pattern[str]]:
        return {kind: channel_file.compiled(pattern) for kind, pattern in self._file["media"].items()}

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {folded(name): kind for kind, name in channel_file.entries(self._file) if not name.startswith("/")}

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [
            (kind, channel_file.compiled(name.strip("/")))
            for kind, name in channel_file.entries(self._file)
            if name.startswith("/")
        ]

    @cached_property
    def _scheme(self) -> list[dict[str, Any]]:
        return list(self._file["schemes"][self._file["scheme"]])


@lru_cache(maxsize=4)
def rules(text: str, own_hosts: tuple[str, ...]) -> Rules:
    """The rules of a file, read once."""
    return Rules(text, own_hosts)


def _said(tag: str | None) -> str | None:
    """A tag that says something: not `null`, `(not set)`, or the `{utm_source}` of a template."""
    if not tag or tag in ("(direct)", "(not provided)") or _TEMPLATE.match(tag):
        return None
    return None if ids.is_none(tag, of_a_visitor=False) else tag


def _parents(host: str) -> Iterator[str]:
    while "." in host:
        host = host.partition(".")[2]
        yield host


def _is_under(host: str, name: str) -> bool:
    return host == name or host.endswith("." + name)

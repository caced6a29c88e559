"""Addresses of machines in a text, told from versions, times and the hosts of pages."""

from __future__ import annotations

import re

IP = "[ip]"

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_IPV4_ONLY = re.compile(_IPV4 + r"(?::[0-9]{1,5})?\Z")
_IPV6_ONLY = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%\w{1,16})?\Z", re.ASCII)
_IPV4_IN_TEXT = re.compile(rf"(?:(?<=%20)|(?<![\w.%])(?<![A-Za-z_]-)){_IPV4}(?!\w|\.[0-9])", re.ASCII)
# A colon, as an address of a page may have it; a run of what an address is made of, read once and then judged.
_IPV6_IN_TEXT = re.compile(
    r"(?<![\w:.-])[0-9A-Fa-f]{0,4}+(?:(?::|%3[Aa])[0-9A-Fa-f.]{0,15}+){2,9}+(?:%\w{1,16})?(?![\w:])", re.ASCII
)
# The word right before a number, read backwards, ...
_WORD_BEFORE = re.compile(r"(?:(?:02|[Aa]3)%|[\s.:=_\"'+-]){0,4}([A-Za-z]{1,12}|§)(?![A-Za-z])")
#: ... that makes it a version, or the number of a chapter.
_VERSION_WORDS = frozenset(
    word[::-1]
    for word in (
        *("v", "ver", "version", "release", "rev", "revision", "build", "firmware", "fw", "driver", "patch", "update"),
        *("chapter", "section", "kapitel", "app", "sdk", "§"),
    )
)
# The name of a program, read backwards, as in `Chrome/126.0.0.1`: no folder of an address of a page begins like that.
_PROGRAM_BEFORE = re.compile(r"/[\w-]{1,30}(?:\Z|[\s(;,\"'])", re.ASCII)
_MAX_BEFORE = 40


def is_ip(text: str) -> bool:
    """Whether a text is an IP address, with or without a port, or a list of them, and nothing else."""
    if "," in text:
        return all(is_ip(part.strip()) for part in text.split(","))
    if _IPV4_ONLY.match(text):
        return True
    return text.count(":") >= 2 and bool(_IPV6_ONLY.match(text)) and _is_ipv6(text)


def scrub_ips(text: str) -> str:
    """A text without the addresses of machines in it. The host of a page (`https://192.0.2.1/`) is no visitor's."""
    if text.count(".") >= 3:
        text = _IPV4_IN_TEXT.sub(_ipv4, text)
    if text.count(":") >= 2 or "%3" in text:
        text = _IPV6_IN_TEXT.sub(_ipv6, text)
    return text


def _ipv4(match: re.Match[str]) -> str:
    """An address goes; a version stays. Four single digits are a version, and so is what ends in `.0.0`, as browsers do
    (`126.0.0.0`): no visitor has either. 0.… and 127.… are nobody's."""
    found = match[0]
    before = match.string[max(0, match.start() - _MAX_BEFORE) : match.start()]
    if len(found) == 7 or found.endswith(".0.0") or found.startswith(("0.", "127.")) or before.endswith(("://", "@")):
        return found
    back = before[::-1]
    word = _WORD_BEFORE.match(back)
    return found if (word and word[1].lower() in _VERSION_WORDS) or _PROGRAM_BEFORE.match(back) else IP


def _ipv6(match: re.Match[str]) -> str:
    """An address of the networks that visitors have: its first group has four digits, or it holds an IPv4 address."""
    found = match[0]
    before = match.string[max(0, match.start() - 3) : match.start()]
    text = found.replace("%3A", ":").replace("%3a", ":").rstrip(".")
    bare = text if text.endswith("::") else text.rstrip(":")
    is_like_one = len(bare.partition(":")[0]) == 4 or ("." in bare and bare.startswith("::"))
    if before in ("://", "//[") or not is_like_one or not _is_ipv6(bare):
        return found
    return IP + ":" * (len(text) - len(bare)) + "." * (len(found) - len(found.rstrip(".")))


def _is_ipv6(text: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address  # seldom needed, and not free to import

    try:
        return bool(IPv6Address(text))
    except AddressValueError:
        return False

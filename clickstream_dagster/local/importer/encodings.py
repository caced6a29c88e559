"""In which encoding a file is written, found out from all of its bytes; and what its bytes are, as a hash."""

from __future__ import annotations

import codecs
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from clickstream_dagster.local.importer.opening import blocks

_HEAD_BYTES = 1 << 16
_STRAY = re.compile("[\udc80-\udcff]")
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: What Western European texts have beyond ASCII.
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÊËàâáãåÀÂÁÃÅçÇñÑíìîïÍÌÎÏóòôõøÓÒÔÕØúùûÚÙÛýÿæÆœŒ€£§°´’‘“”„–—…•©®™«»¿¡½¼²³µ·ºª\xa0")
#: What else a shop's programs write; charset-normalizer chooses among them.
_OTHERS = ["cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "shift_jis", "gb18030", "big5", "euc_kr"]
#: How to call what has several names.
NAMES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252", "iso8859-1": "Latin-1"}


class Survey(NamedTuple):
    """What reading a file to its end told: it is whole, this is its encoding, the hash of what is in it, and whether there
    may be e-mail addresses in it."""

    encoding: str
    content: str
    has_at: bool


def survey(path: Path) -> Survey:
    """Read a file to its end. Raises `ImportFailed` for one that is cut short, before any of it is stored."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    head, odd, wide, stray, has_at = b"", b"", 0, 0, False
    for block in blocks(path):
        digest.update(block)
        has_at = has_at or b"@" in block
        head = head or block[:_HEAD_BYTES]
        text = decoder.decode(block)
        if not text.isascii():
            found = len(_STRAY.findall(text))
            stray += found
            wide += len(text) - len(text.encode("ascii", "ignore")) - found
            odd += block[:_HEAD_BYTES] if found and len(odd) < 4 * _HEAD_BYTES else b""
    return Survey(_encoding(head, odd, wide, stray), digest.hexdigest(), has_at)


def _encoding(head: bytes, odd: bytes, wide: int, stray: int) -> str:
    if marked := next((name for bom, name in _BOMS.items() if head.startswith(bom)), None):
        return marked
    zeros = head[:64:2].count(0), head[1:64:2].count(0)
    if len(head) > 7 and max(zeros) * 3 > len(head[:64]):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    if wide >= stray:  # or broken here and there, which costs those rows
        return "utf-8"
    letters = set(odd.decode("cp1252", "replace")) - {chr(code) for code in range(128)}
    return "cp1252" if letters <= _WESTERN else _other(odd)


def _other(odd: bytes) -> str:
    from charset_normalizer import from_bytes  # half a second, for few files

    best = from_bytes(odd, cp_isolation=[*_OTHERS, "cp1252"], threshold=0.2).best() if len(odd) > 32 else None
    return codecs.lookup(best.encoding).name if best else "utf-8"

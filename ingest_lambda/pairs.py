"""Names and their values in a text: the parameters of an address, and JSON that nobody could read."""

from __future__ import annotations

import re
from binascii import a2b_base64, unhexlify
from collections.abc import Callable

from ingest_lambda import shapes
from ingest_lambda.addresses import IP, is_ip
from ingest_lambda.emails import holds_email
from ingest_lambda.personal import is_personal, is_version

REMOVED = "[removed]"

# A name and its value lie between marks that neither of them has: no attempt reads what another one has read.
_PARAM = re.compile(r"(^|[?&#;\s])([^\s=&#;?/\"]{1,64}+)=([^&#;\s\"]++)", re.ASCII)
# The same inside a value that was percent-encoded, as in ?next=%2Flogin%3Ftoken%3Dabc, however often.
_ENCODED_PARAM = re.compile(
    r"(%(?:25)*+(?:3[Ff]|26|23)|=)([^\s%=&#]{1,64}+)(%(?:25)*+3[Dd])((?:[^&#;\s\"%]|%(?!(?:25)*+(?:26|23)))++)",
    re.ASCII,
)
_KEY_OR_BRACKET = re.compile(r'\\?"((?:[^"\\]|\\[^"]){1,64}+)\\?"\s{0,64}+:\s{0,64}+|[\[\]{}]', re.ASCII)
_VALUE = re.compile(r'\\"([^"]*)"|"((?:[^"\\]|\\.)*+)(?:"|\Z)|([^\s,"{}\[\]]++)', re.ASCII | re.DOTALL)
_BRACKET = re.compile(r'(?:[^"\[\]{}]|"(?:[^"\\]|\\.)*+(?:"|\Z))*+[\[\]{}]', re.DOTALL)
_URL_SAFE = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[2-7MNOQ-Za-e][0-9A-Za-z+/_-]{11,400}={0,2}\Z")  # an ASCII letter or digit is the first
#: Words beside a `name` that make it a product's.
_OF_A_PRODUCT = frozenset(
    (
        "product",
        "products",
        "item",
        "items",
        "sku",
        "price",
        "category",
        "color",
        "colour",
        "size",
        "variant",
        "brand",
        "list",
    )
)
_NAMES = frozenset(("name", "nom", "nombre", "nome"))
_MAX_DEPTH = 64


def scrub_params(text: str) -> str:
    """A text without the personal ones among the parameters in it."""
    if "=" not in text and "3D" not in text and "3d" not in text:
        return text
    is_sign_in = "code=" in text and "state=" in text
    is_of_product = any(f"{word}=" in text for word in _OF_A_PRODUCT) if "name=" in text else True

    def param(match: re.Match[str]) -> str:
        before, name, value = match.groups()
        return f"{before}{name}={_clean(_unquote(name), value, is_sign_in, is_of_product)}"

    return _PARAM.sub(param, _ENCODED_PARAM.sub(_encoded_param, text) if "%" in text else text)


def is_name_of_a_person(name: str, value: str) -> bool:
    """Whether something that is called just `name` is a person's: two to four words with capitals. What surrounds it
    has to speak for that."""
    return name.lower() in _NAMES and shapes.full_name(value)


def is_of_a_product(name: str) -> bool:
    """Whether a key stands beside, or above, a product's name and never a person's."""
    return name.lower() in _OF_A_PRODUCT


def holds_hidden_email(text: str) -> bool:
    """Whether a text is base64 or hexadecimal and says an e-mail address."""
    text = text.replace("%3D", "=") if "%" in text else text
    if not 12 <= len(text) <= 400 or not _BASE64.match(text):
        return False
    return _says_email(a2b_base64, text.translate(_URL_SAFE) + "==") or _says_email(unhexlify, text)


def _says_email(decode: Callable[[str], bytes], text: str) -> bool:
    try:
        said = decode(text)
    except ValueError:
        return False
    return b"@" in said and said.isascii() and holds_email(said.decode("ascii"))


def _clean(name: str, value: str, is_sign_in: bool, is_of_product: bool) -> str:
    if is_personal(name, value) or (is_sign_in and name in ("code", "state") and shapes.oauth(value)):
        return REMOVED
    if not is_of_product and is_name_of_a_person(name, value):
        return REMOVED
    if len(value) >= 12 and holds_hidden_email(value):
        return REMOVED
    return IP if ("." in value or ":" in value) and is_ip(value) and not is_version(name) else value


def _encoded_param(match: re.Match[str]) -> str:
    before, name, equals, value = match.groups()
    return f"{before}{name}{equals}{REMOVED}" if is_personal(name, value) else match[0]


def scrub_json(text: str) -> str:
    """JSON-looking text without the values of personal keys, however little of it is JSON.

    A value that goes is passed over; all else is read once, and the key around it is known from the brackets."""
    kept: list[str] = []
    done = 0
    parents: list[str] = []
    waiting = ""
    for found in _KEY_OR_BRACKET.finditer(text):
        if found.start() < done:
            continue
        key = found[1]
        if key is None:
            _open_or_close(parents, found[0], waiting)
            waiting = ""
            continue
        waiting = key
        end = _personal_end(text, found.end(), key, parents[-1] if parents else "")
        if end:
            kept += text[done : found.end()], f'"{REMOVED}"'
            done = end
            waiting = ""
    return "".join(kept) + text[done:]


def _open_or_close(parents: list[str], bracket: str, key: str) -> None:
    """Keep the keys around what is read: what stands in a list has the key of the list."""
    if bracket in "]}":
        if parents:
            parents.pop()
    elif len(parents) < _MAX_DEPTH:
        parents.append(key or (parents[-1] if parents else ""))


def _personal_end(text: str, at: int, key: str, parent: str) -> int:
    """Where a key's value ends that is personal; 0 for any other."""
    if text[at : at + 1] in ("{", "["):
        return _closing(text, at) if is_personal(key, [key]) else 0
    found = _VALUE.match(text, at)
    if not found:
        return 0
    value = next(filter(None, found.groups()), "")
    is_person = is_name_of_a_person(key, value) and not is_of_a_product(parent)
    return found.end() if is_personal(key, value, parent) or is_person else 0


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens here is closed; the end of the text where it is not."""
    depth = 0
    while found := _BRACKET.match(text, at):
        at = found.end()
        depth += 1 if text[at - 1] in "[{" else -1
        if depth == 0:
            return at
    return len(text)


def _unquote(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote

    return unquote(name)

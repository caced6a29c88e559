"""Tokens in a text: what lets its holder in, known by its beginning or by the page that it is sent to."""

from __future__ import annotations

import re

from ingest_lambda.shapes import long_secret, secret

TOKEN = "[token]"  # noqa: S105

# No repeat is followed by anything that could fail, so that nothing is read again.
_KNOWN = re.compile(
    r"\b[Bb]earer(?:\s|%20|\+){1,3}[\w.~+/=-]{16,}+"
    r"|\b(?:sk|rk)_(?:live|test)_\w{8,}+|\bwhsec_\w{16,}+|\bgh[pousr]_\w{20,}+|\bgithub_pat_\w{20,}+|\bglpat-[\w-]{16,}+"
    r"|\bxox[abeoprs]-[\w-]{10,}+|\bA[KS]IA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}+|\bya29\.[\w-]{16,}+"
    r"|\bsk-(?:proj|ant)-[\w-]{16,}+|\bsk-\w{32,}+|\bnpm_\w{30,}+|\bSG\.[\w-]{16,}+"
    r"|(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{8,}+|(?<=/api/)webhooks/[\w/-]{16,}+",
    re.ASCII,
)
#: What any of them needs; most texts have none of it.
_KNOWN_BEGINNING = re.compile(
    r"Bearer|bearer|whsec_|gh[pousr]_|github_|glpat|xox|A[KS]IA|AIza|ya29|npm_|SG\.|hooks[./]"
)
# A run of words and dots is read once, whole, and looked into: a JSON Web Token begins with `eyJ`.
_DOTTED = re.compile(r"(?<![\w.-])[\w.-]{12,}+", re.ASCII)
_JWT_BEGINNING = re.compile(r"(?<![A-Za-z0-9_])eyJ")
# A page and the last part of its address, which is looked at on its own: it may name the next page.
_PAGE = re.compile(r"/([A-Za-z][\w-]{3,40}+)/(?=[\w.~%=+-]{8})", re.ASCII)
_SEGMENT = re.compile(r"[\w.~%=+-]{8,512}+", re.ASCII)
#: Pages that are told by their address who someone is: /reset-password/…, /verify/…, /invite/…
_OF_A_PERSON = re.compile("passwor[dt]|reset|verif(?:y|ication)|activat|invit|unsubscribe|magic|recover")
#: The same where an order may stand as well: only a long one is a token.
_OF_A_PERSON_OR_AN_ORDER = re.compile("confirm|token|auth|session")


def scrub_tokens(text: str) -> str:
    """A text without tokens; every other character stays."""
    if "eyJ" in text:
        text = _DOTTED.sub(_jwt, text)
    if "k_" in text or "sk-" in text or _KNOWN_BEGINNING.search(text):
        text = _KNOWN.sub(TOKEN, text)
    return _scrub_pages(text) if "/" in text else text


def _jwt(match: re.Match[str]) -> str:
    """Header and payload, and the signature where there is one."""
    parts = match[0].split(".")
    kept: list[str] = []
    index = 0
    while index < len(parts):
        part = parts[index]
        begins = _JWT_BEGINNING.search(part) if index + 1 < len(parts) else None
        if begins and len(part) - begins.start() >= 11 and len(parts[index + 1]) >= 4:
            kept.append(part[: begins.start()] + TOKEN)
            index += 3
        else:
            kept.append(part)
            index += 1
    return ".".join(kept)


def _scrub_pages(text: str) -> str:
    kept: list[str] = []
    done = at = 0
    while page := _PAGE.search(text, at):
        at = page.end() - 1
        segment = _SEGMENT.match(text, page.end())
        if segment and _is_token(page[1].lower(), segment[0]):
            kept += text[done : segment.start()], TOKEN
            done = segment.end()
    return "".join(kept) + text[done:]


def _is_token(page: str, segment: str) -> bool:
    if _OF_A_PERSON.search(page):
        return secret(segment)
    return bool(_OF_A_PERSON_OR_AN_ORDER.search(page)) and long_secret(segment)

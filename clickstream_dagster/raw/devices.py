"""The kind of device, the family of browser and that of the operating system, from a user agent."""

from __future__ import annotations

import re

#: What is on a wall, a wrist or a dashboard, or plays games.
_OTHER = re.compile(
    r"smart-?tv|\btv\b|googletv|appletv|apple tv|hbbtv|netcast|web0s|webos\.tv|viera|bravia|roku|crkey|aquos|\baft[a-z]{1,4}\b"
    r"|playstation|nintendo|xbox|tesla/|qtcarbrowser|watch(?:os|\d)|wear os|oculus|quest \d|\bvr\b|large screen|dtv|philipstv",
    re.IGNORECASE,
)
_TABLET = re.compile(r"iPad|\bTablet(?! PC)|PlayBook|\bSilk/|Kindle|Nexus (?:7|9|10)\b|\bSM-[TXP]\d{3}|\bGT-P\d{4}")
_MOBILE = re.compile(
    r"Mobi|iPhone|iPod|Windows (?:Phone|CE)|BlackBerry|BB10|Opera Mini|Symbian|Series ?60|Nokia|MIDP|KaiOS|J2ME|DoCoMo"
    r"|PalmOS|webOS|\biOS[ /]\d"
)
#: A program of Apple's systems that does not say which: telephone, tablet or desk.
_SOME_APPLE = re.compile(r"CFNetwork/|Alamofire/")
#: An app's own agent says how large the screen is: dots per inch, width, height.
_SCREEN = re.compile(r"Android \([^()]{0,40}?(\d{2,4})dpi; (\d{3,5})x(\d{3,5})")
_TABLET_WIDTH = 600

_BROWSERS = (
    (re.compile(r"Instagram"), "Instagram"),
    (re.compile(r"FBAN|FBAV|FB_IAB|MetaIAB"), "Facebook"),
    (re.compile(r"musical_ly|BytedanceWebview|TikTok|trill_"), "TikTok"),
    (re.compile(r"WhatsApp"), "WhatsApp"),
    (re.compile(r"Snapchat"), "Snapchat"),
    (re.compile(r"Pinterest"), "Pinterest"),
    (re.compile(r"LinkedInApp"), "LinkedIn"),
    (re.compile(r"\bGSA/"), "Google app"),
    (re.compile(r"MetaSr|Sogou"), "Sogou"),
)
_FAMILIES = (
    ("Chrome Mobile WebView", "Android WebView"),
    ("Mobile Safari UI/WKWebView", "iOS WebView"),
    ("Samsung", "Samsung Internet"),
    ("Chrome", "Chrome"),
    ("Chromium", "Chrome"),
    ("Mobile Safari", "Safari"),
    ("Firefox", "Firefox"),
    ("Edge", "Edge"),
    ("Opera", "Opera"),
    ("IE", "Internet Explorer"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Yandex", "Yandex"),
    ("UC Browser", "UC Browser"),
    ("MiuiBrowser", "Xiaomi"),
)
_SYSTEMS = {
    **{"Mac OS X": "macOS", "Mac OS": "macOS", "iOS": "iOS", "Android": "Android", "Chrome OS": "Chrome OS"},
    **dict.fromkeys(("Ubuntu", "Debian", "Fedora", "Linux", "Linux Mint", "Arch Linux", "Red Hat", "SUSE"), "Linux"),
}


def device_type(text: str) -> str:
    """mobile, tablet, desktop or other."""
    if _OTHER.search(text):
        return "other"
    screen = _SCREEN.search(text)
    if screen:
        dots, *sides = map(int, screen.groups())
        return "tablet" if dots and min(sides) * 160 / dots >= _TABLET_WIDTH else "mobile"
    if _TABLET.search(text) or ("Android" in text and not _MOBILE.search(text)):
        return "tablet"
    if _MOBILE.search(text):
        return "mobile"
    return "other" if _SOME_APPLE.search(text) else "desktop"


def browser(text: str, family: str | None) -> str | None:
    """The family, as ua-parser tells it, whatever its size and version; the app, where the browser is inside of one."""
    for pattern, name in _BROWSERS:
        if pattern.search(text):
            return name
    if family is None:
        return None
    return next((name for start, name in _FAMILIES if family.startswith(start)), family)


def system(family: str | None) -> str | None:
    """The family of the operating system, as ua-parser tells it."""
    if family is None:
        return None
    return "Windows" if family.startswith("Windows") and "Phone" not in family else _SYSTEMS.get(family, family)

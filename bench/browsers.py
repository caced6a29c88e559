"""User agents as a shop sees them: some forty that most people have, a long tail of apps that name their build, and bots."""

from __future__ import annotations

import random

from ingest_lambda.contract import Device

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0"
_SYSTEMS = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
_COMMON = (
    *(
        f"Mozilla/5.0 ({system}) {_CHROME.format(v=v)} Safari/537.36"
        for v in (143, 142, 141, 138)
        for system in _SYSTEMS
    ),
    *(f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME.format(v=v)} Mobile Safari/537.36" for v in range(143, 135, -1)),
    *(f"Mozilla/5.0 ({_SYSTEMS[0]}) {_CHROME.format(v=v)} Safari/537.36 Edg/{v}.0.0.0" for v in (143, 142, 141)),
    *(f"Mozilla/5.0 ({system}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0" for v in (146, 145, 140) for system in _SYSTEMS),
    *(
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {v.replace('.', '_')} like Mac OS X) AppleWebKit/605.1.15 "
        f"(KHTML, like Gecko) Version/{v} Mobile/15E148 Safari/604.1"
        for v in ("26.1", "26.0", "18.7", "18.6", "17.6", "16.7")
    ),
)
_WEIGHTS = tuple(1 / (1 + place) ** 0.8 for place in range(len(_COMMON)))
_PHONES = ("SM-S928B", "SM-A546B", "Pixel 9", "Pixel 8a", "23127PN0CG", "CPH2613", "V2318", "M2101K6G", "XT2347-3")
_BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
)
_LANGUAGES = ("en-US", "en-GB", "de-DE", "vi-VN", "fr-FR", "ja-JP", "pl-PL", "pt-BR")
_SCREENS = ("1920x1080", "1536x864", "2560x1440", "1440x900", "393x852", "412x915", "360x800", "820x1180")


def user_agent(rng: random.Random) -> str:
    """One in ten names a build of an app, which few others have; one in fifty is a bot."""
    kind = rng.random()
    if kind < 0.02:
        return rng.choice(_BOTS)
    if kind < 0.12:
        build, phone = (
            f"{rng.randrange(400, 540)}.0.0.{rng.randrange(10, 99)}.{rng.randrange(60, 120)}",
            rng.choice(_PHONES),
        )
        return (
            f"Mozilla/5.0 (Linux; Android {rng.randrange(11, 17)}; {phone} Build/{rng.getrandbits(24):06X}; wv) "
            f"{_CHROME.format(v=rng.randrange(120, 144))} Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/{build};]"
        )
    return rng.choices(_COMMON, _WEIGHTS)[0]


def device(rng: random.Random, agent: str) -> Device:
    """What the browser says of itself beside its user agent."""
    is_phone = "Mobi" in agent
    return Device(
        type="mobile" if is_phone else "desktop",
        os=next((name for name in ("Windows", "iPhone", "Android", "Mac OS X") if name in agent), "Linux"),
        browser=next((name for name in ("Edg", "Firefox", "Chrome") if name in agent), "Safari"),
        language=rng.choice(_LANGUAGES),
        screen=rng.choice(_SCREENS[4:] if is_phone else _SCREENS[:4]),
    )

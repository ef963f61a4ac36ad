"""
A browser's own line about itself, as a person would say it: "Chrome · Windows". Pure.

The line is whatever the browser sent and proves nothing; only names known here are ever shown.
"""

import re

_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Whale", r"\bWhale/"),
    ("KakaoTalk", r"\bKAKAOTALK\b"),
    ("NAVER", r"\bNAVER\("),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:HeadlessChrome|Chrome|CriOS)/"),
    ("Safari", r"\bVersion/[\d.]+.* Safari/"),
    ("curl", r"^curl/"),
    ("Python", r"^python-|\bhttpx?/|\baiohttp/"),
)
"""Most pretend to be another one as well: the more particular name comes first."""
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)


def device_name(agent: str) -> str:
    """Browser and system of the User-Agent line *agent*; "" when neither is known."""
    return " · ".join(name for name in (_first(_BROWSERS, agent), _first(_SYSTEMS, agent)) if name)


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, sign in known if re.search(sign, agent)), "")

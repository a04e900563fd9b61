"""What a `User-Agent` header says about a browser, in words. Anyone can send anything: it is only a description."""

from collections.abc import Sequence

from django.utils.translation import gettext

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Browsers by the first mark that the header contains: most browsers also name others."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
MOBILE = frozenset({"iPhone", "iPad", "Android"})


def describe(header: str) -> str:
    """`Chrome on macOS`."""
    browser, system = _first(BROWSERS, header), _first(SYSTEMS, header)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("Unknown browser")


def is_mobile(header: str) -> bool:
    return _first(SYSTEMS, header) in MOBILE


def _first(names: Sequence[tuple[str, str]], header: str) -> str:
    return next((name for mark, name in names if mark in header), "")

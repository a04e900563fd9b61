"""The demo fleet's sites: real locations, fictional shops."""

from typing import NamedTuple

from tms.fleet.models import TerminalKind


class DemoSite(NamedTuple):
    code: str
    name: str
    name_ja: str
    region: str
    opens: str
    closes: str
    kinds: tuple[TerminalKind, ...]
    """The kinds of terminals there, in the proportion of their numbers."""


class DemoContact(NamedTuple):
    """Whom to call about a site."""

    name: str
    phone: str
    note: str


class Make(NamedTuple):
    """Properties of a kind of terminal: models, firmware versions (the last is the newest), locations."""

    models: tuple[str, ...]
    firmware: tuple[str, ...]
    label: str


K = TerminalKind

SITES = (
    DemoSite("SJK", "Shinjuku South", "新宿南口", "Kanto", "04:30", "00:30", (K.GATE, K.GATE, K.KIOSK, K.SIGNAGE)),
    DemoSite("HND", "Haneda Airport", "羽田空港", "Kanto", "00:00", "00:00", (K.KIOSK, K.PAYMENT, K.GATE, K.SIGNAGE)),
    DemoSite("UMD", "Umeda", "梅田", "Kansai", "07:00", "22:00", (K.PAYMENT, K.PAYMENT, K.KIOSK)),
    DemoSite("SPR", "Sapporo Station", "札幌駅", "Hokkaido", "05:30", "23:30", (K.KIOSK, K.GATE, K.SIGNAGE)),
    DemoSite("NGY", "Nagoya Sakae", "名古屋栄", "Chubu", "09:00", "21:00", (K.PAYMENT, K.TABLET, K.SIGNAGE)),
    DemoSite("HKT", "Hakata", "博多", "Kyushu", "06:00", "23:00", (K.SIGNAGE, K.PAYMENT, K.KIOSK)),
    DemoSite("SDJ", "Sendai", "仙台", "Tohoku", "08:00", "20:00", (K.PAYMENT, K.KIOSK, K.TABLET)),
)

CONTACTS = (
    DemoContact("Site office", "03-0000-1301", "in opening hours"),
    DemoContact("Carrier support", "06-0000-1302", "day and night; they ask for the line number"),
    DemoContact("Field service", "03-0000-1303", "on site within two hours"),
)
"""Contacts of each site. The numbers are not assigned."""

MAKES = {
    K.PAYMENT: Make(("PX-300", "PX-310"), ("2.13.4", "2.14.1"), "Counter"),
    K.KIOSK: Make(("KX-20", "KX-21"), ("4.8.1", "4.8.2"), "Kiosk"),
    K.GATE: Make(("GT-7",), ("7.0.9", "7.1.0"), "Gate"),
    K.SIGNAGE: Make(("SG-55", "SG-98"), ("1.20.0",), "Screen"),
    K.TABLET: Make(("TB-8",), ("3.2.1", "3.3.0"), "Table"),
}

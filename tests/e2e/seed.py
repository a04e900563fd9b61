"""The data of the browser tests."""

from tests.e2e.hostile import PAYLOADS

PASSWORD = "a password for tests"
PEOPLE = {
    "tanaka": ("Midori", "Tanaka", "en"),
    "mori": ("Ren", "Mori", "en"),
    "sato": ("健", "佐藤", "ja"),
    "sasaki": ("Aoi", "Sasaki", "en"),
}
SITES = {"SJK": ("Shinjuku South", "新宿南口"), "UMD": ("Umeda", "梅田")}
EACH = 60
"""Terminals at each site, so that each test uses its own."""
HOSTILE_UIDS = [f"X-{number:02}" for number in range(len(PAYLOADS))]


def seed(is_hostile: bool) -> dict[str, str]:
    """The credential of each terminal, by its UID."""
    from django.contrib.auth.hashers import make_password

    from tms.accounts.models import User
    from tms.alerts.models import CorrelationRule
    from tms.alerts.models.factor import SITES_TOGETHER
    from tms.fleet.credentials import services
    from tms.fleet.models import Region, Site, Terminal

    for username, (first, last, language) in PEOPLE.items():
        User.objects.create_superuser(username, first_name=first, last_name=last, language=language)
    User.objects.update(password=make_password(PASSWORD))  # hashed once: each takes a third of a second
    # Sites that tests lose within half a minute of each other must not become one incident.
    CorrelationRule.objects.bulk_create(CorrelationRule(factor=factor, enabled=False) for factor in SITES_TOGETHER)
    issued = {}
    Region.objects.create(name="Kanto", name_ja="関東")
    for code, (name, name_ja) in SITES.items():
        site = Site.objects.create(code=code, name=name, name_ja=name_ja, region="Kanto")
        for number in range(1, EACH + 1):
            terminal = Terminal(uid=f"{code}-KSK-{number:02}", site=site, label=f"Kiosk {number}, west hall")
            issued[terminal.uid] = str(services.enrol(terminal))
    if is_hostile:
        for number, (uid, payload) in enumerate(zip(HOSTILE_UIDS, PAYLOADS, strict=True)):
            text = payload[:100]
            region, _ = Region.objects.get_or_create(name=text)
            site = Site.objects.create(code=f"X{number}", name=text, name_ja=text, region=region.name)
            issued[uid] = str(services.enrol(Terminal(uid=uid, site=site, label=text)))
    return issued

"""`python -m benchmarks.systems.seed_tms NUMBER`: the fleet and one person; prints the cookie of their session."""

import os
import sys

import django

SITES = 50
"""The terminals are distributed evenly."""
SERIAL = "S-1000"
"""What every client reports: a fleet that was connected before, so that no device is unexpected."""


def main(number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tms.config.settings"
    django.setup()
    from django.conf import settings

    from benchmarks.running.fleet import digest, uids
    from benchmarks.systems.session import sign_in
    from tms.accounts.models import User
    from tms.alerts.models import SameRuleCorrelation
    from tms.fleet.models import Credential, Device, Placement, Site, Terminal, TerminalState

    sites = Site.objects.bulk_create(Site(code=f"B{index}", name=f"Benchmark {index}") for index in range(SITES))
    terminals = Terminal.objects.bulk_create(
        Terminal(uid=uid, site=sites[index % len(sites)], serial=SERIAL) for index, uid in enumerate(uids(number))
    )
    devices = Device.objects.bulk_create(Device(state="in_service", site=terminal.site) for terminal in terminals)
    Placement.objects.bulk_create(
        Placement(device=device, terminal=terminal, began_at=terminal.created_at)
        for device, terminal in zip(devices, terminals, strict=True)
    )
    TerminalState.objects.bulk_create(TerminalState(terminal=terminal) for terminal in terminals)
    Credential.objects.bulk_create(Credential(terminal=terminal, digest=digest(terminal.uid)) for terminal in terminals)
    SameRuleCorrelation.objects.bulk_create(  # lists of single alerts are measured
        SameRuleCorrelation(factor=factor, enabled=False) for factor in SameRuleCorrelation.defaults()
    )
    make_dynamic_groups(int(os.environ.get("BENCHMARK_DYNAMIC_GROUPS", "0")))
    person = User.objects.create_superuser("watcher", password=None)
    print(f"{settings.SESSION_COOKIE_NAME}={sign_in(person)}")


def make_dynamic_groups(number: int) -> None:
    """Groups of the terminals of two sites in five each, whose queries read what boots report; rules are for them."""
    from django.utils import timezone

    from tms.alerts.models import Rule, RuleSource
    from tms.fleet.groups import dynamic
    from tms.fleet.models import Group

    for index in range(number):
        group = Group.objects.create(name=f"Dynamic {index}")
        text = f"site:B*{index % 5},B*{(index + 1) % 5} kind:kiosk -firmware>=9 -tag:no-{index}"
        dynamic.set_query(group, text, by=None, at=timezone.now())
        Rule.objects.create(
            name=group.name, group=group, kind=RuleSource.METRIC, metric="temperature_c", comparison="above", limit=200
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))

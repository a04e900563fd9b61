"""Creates terminals, one person, and a rule with a short duration. Runs inside a TMS: `manage.py shell -c`."""

import json

from django.conf import settings
from django.db.models import F

from benchmarks.systems.session import sign_in
from tms.accounts.models import User
from tms.alerts.models import CorrelationRule, Rule, RuleSource
from tms.alerts.models.correlation_rule import DEFAULTS
from tms.alerts.models.factor import SITES_TOGETHER
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.credentials import services
from tms.fleet.models import Site, Terminal
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step

OFFLINE_FOR_S = 2.0
"""The default rule waits a minute before it opens an alert, which would hide false alerts."""


def fleet(number: int, site_count: int) -> None:
    """Prints the credentials of so many new terminals, and the cookie of a person who is signed in, as JSON."""
    Rule.objects.filter(kind=RuleSource.PRESENCE).update(duration_s=OFFLINE_FOR_S, revision=F("revision") + 1)
    publish(Change(rules=True))
    sites = [Site.objects.create(code=f"F{n}", name=f"Faults {n}") for n in range(site_count)]
    made = [services.enrol(Terminal(uid=f"T{n:05}", site=sites[n % len(sites)])) for n in range(number)]
    person = User.objects.create_superuser("watcher", password=None)
    cookie = f"{settings.SESSION_COOKIE_NAME}={sign_in(person)}"
    print(json.dumps({"credentials": [str(credential) for credential in made], "cookie": cookie}))


def add_rule_and_policy(*addresses: str, merges_sites: bool) -> None:
    """A rule without a duration for lost terminals, and a policy that notifies each of these addresses.

    `merges_sites`: whether incidents of sites that are lost together become one.
    """
    for factor in SITES_TOGETHER:
        CorrelationRule.objects.update_or_create(factor=factor, defaults={**DEFAULTS[factor], "enabled": merges_sites})
    # Several storms within half an hour are flapping: alerts of the last one would stay open until they are stable.
    Rule.objects.filter(kind=RuleSource.PRESENCE).update(
        presence="silent", duration_s=0, watches_flapping=False, revision=F("revision") + 1
    )
    publish(Change(rules=True))
    policy = Policy.objects.create(name="Storm", group_wait_s=2)
    step = Step.objects.create(policy=policy, position=0)
    for address in addresses:
        destination = Destination(kind="webhook", name=address)
        destination.set_address(address)
        destination.new_key()
        destination.save()
        step.destinations.add(destination)

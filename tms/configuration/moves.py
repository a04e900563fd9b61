"""Terminals that moved to another site, group, region or model get the values of there, at the version that they have.

The clock compares the terminals that a change names at once, and all others in turn, because not every change that
matters names terminals. When many moved at once, nothing is sent: a change of many terminals is a rollout.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Count
from django.db.models.signals import post_save

from tms.accounts.audit import recorder
from tms.accounts.models.audit_entry import Via
from tms.commands.kinds import CONFIGURE
from tms.commands.models import Command, CommandState
from tms.configuration import delivery
from tms.configuration.contents import contents_of
from tms.configuration.models import ConfigurationVersion, TerminalConfiguration
from tms.fleet.groups.dynamic import terminals_of
from tms.fleet.identity.history import identity_changed
from tms.fleet.labels.tags import labels_changed
from tms.fleet.models import IdentityChange, IdentityField, Site, Terminal
from tms.lib.db import rows as db_rows
from tms.lib.per_process import per_process

PASS_S = 5.0
STALE_A_PASS = 500
WALKED_A_PASS = 50
MAX_MOVED = 50
"""Terminals of one pass that get other values without a rollout."""
DELIVER_WITHIN_S = 24 * 3600.0
MOVING = frozenset((IdentityField.SITE, IdentityField.GROUPS, IdentityField.MODEL))


class Walk:
    """Where the comparison of all terminals has come to."""

    def __init__(self) -> None:
        self.last = 0

    def take(self) -> list[int]:
        rows = TerminalConfiguration.objects.exclude(reported=None).exclude(version=None).filter(is_stale=False)
        found = list(rows.filter(pk__gt=self.last).order_by("pk").values_list("pk", flat=True)[:WALKED_A_PASS])
        self.last = found[-1] if found else 0
        return found


@per_process
def walk() -> Walk:
    return Walk()


def follow_moves(at: datetime) -> int:
    """A pass of the clock. Returns how many terminals get other values."""
    stale = TerminalConfiguration.objects.filter(is_stale=True).order_by("pk")
    pks = list(stale.values_list("pk", flat=True)[:STALE_A_PASS])
    return _follow(pks, at) + _follow(walk().take(), at)


@transaction.atomic
def _follow(pks: Collection[int], at: datetime) -> int:
    if not pks:
        return 0
    able = delivery.can_be_configured(pks)
    rows = {row.pk: row for row in delivery.locked(pks).select_related("version") if row.pk in able}
    TerminalConfiguration.objects.filter(pk__in=pks, is_stale=True).update(is_stale=False)
    versions = _versions(rows.values())
    contents = contents_of({pk: version.number for pk, version in versions.items()})
    moved = {pk for pk in versions if contents[pk].digest != rows[pk].digest}
    back = {pk for pk, row in rows.items() if row.held_at and pk not in moved}
    TerminalConfiguration.objects.filter(pk__in=back).update(held_at=None)
    lost = {pk for pk in versions if rows[pk].is_stale and rows[pk].differs}
    busy = _busy(versions)
    moved -= busy
    if len(moved) > MAX_MOVED:
        held = TerminalConfiguration.objects.filter(pk__in=moved, held_at=None)
        held.update(held_at=at)
        moved = set()
    # Those that are held wait for a rollout, and those with an error for a person.
    chosen = {pk for pk in moved | (lost - busy) if rows[pk].held_at is None and not rows[pk].error}
    return _send({pk: versions[pk] for pk in chosen}, at)


def _versions(rows: Collection[TerminalConfiguration]) -> dict[int, ConfigurationVersion]:
    """The version of each; for new terminals the one that most others have. Without such a one they are left out."""
    common: ConfigurationVersion | None = None
    if any(row.version is None for row in rows):
        in_use = TerminalConfiguration.objects.exclude(version=None).values_list("version")
        most = in_use.annotate(number=Count("pk")).order_by("-number", "-version").first()
        common = ConfigurationVersion.objects.get(pk=most[0]) if most else None
    found = ((row.pk, row.version or common) for row in rows)
    return {pk: version for pk, version in found if version is not None}


def _busy(pks: Collection[int]) -> set[int]:
    """The terminals to which a configuration is on its way."""
    going = Command.objects.filter(name=CONFIGURE, terminal__in=pks, state__in=(CommandState.QUEUED, CommandState.SENT))
    return set(going.values_list("terminal", flat=True))


def _send(versions: dict[int, ConfigurationVersion], at: datetime) -> int:
    by_version: dict[ConfigurationVersion, list[int]] = {}
    for pk, version in versions.items():
        by_version.setdefault(version, []).append(pk)
    for version, pks in by_version.items():
        differing = delivery.desire(pks, version, at=at)
        delivery.order(differing, by=None, at=at, deliver_within_s=DELIVER_WITHIN_S)
        with recorder.acting(Via.CLOCK):
            for terminal in Terminal.objects.filter(pk__in=differing).order_by("pk"):
                recorder.record("configured", terminal, {"version": (None, version.number)})
    return len(versions)


def mark(terminals: Collection[int]) -> None:
    """Have the contents of these terminals compared soon."""
    TerminalConfiguration.objects.filter(pk__in=db_rows.keys_of(terminals)).update(is_stale=True)


def follow_identity(changes: Collection[IdentityChange], **_: object) -> None:
    """A receiver of `identity_changed`."""
    if moved := {change.terminal_id for change in changes if change.field in MOVING}:
        mark(moved)


def follow_labels(model: type[Site] | type[Terminal], rows: frozenset[int], **_: object) -> None:
    """Attributes of sites are variables. A receiver of `labels_changed`."""
    if model is Site:
        mark(list(terminals_of(model, rows)))


def follow_site(instance: Site, *, created: bool, **_: object) -> None:
    """A receiver of `post_save`."""
    if not created:
        mark(list(Terminal.objects.filter(site=instance).values_list("pk", flat=True)))


def connect() -> None:
    identity_changed.connect(follow_identity)
    labels_changed.connect(follow_labels)
    post_save.connect(follow_site, sender=Site)

"""A rule in files and in REST: references by name, and all thresholds in one list."""

from typing import NamedTuple, Self

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.accounts.access import Person, visible
from tms.alerts.models import Rule
from tms.fleet.models import Group, Site


class ThresholdEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    severity: str
    limit: float
    lower_limit: float | None = None


class RuleEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`severity` for rules without thresholds, else `thresholds`; `site` is a code and `group` a name."""

    name: str
    name_ja: str = ""
    kind: str
    severity: str = ""
    enabled: bool = True
    presence: str = ""
    metric: str = ""
    comparison: str = ""
    thresholds: list[ThresholdEntry] = []
    hysteresis: float = 0.0
    window_s: float = 0.0
    event_code: str = ""
    clear_code: str = ""
    clear_after_s: float = 0.0
    may_be_resolved_by_hand: bool = False
    watches_flapping: bool = True
    firmware: str = ""
    duration_s: float = 0.0
    hours: str = "always"
    site: str = ""
    group: str = ""
    model: str = ""
    terminal_kind: str = ""
    runbook: str = ""


COPIED = tuple(set(RuleEntry.__struct_fields__) - {"severity", "thresholds", "site", "group"})
FIELDS = {"limit": ".thresholds", "lower_limit": ".thresholds", "higher_thresholds": ".thresholds", "__all__": ""}
"""Fields of a rule that have another name in an entry."""


class EntryFault(NamedTuple):
    where: str
    """`.thresholds`; empty for the entry as a whole."""
    what: str


class KnownScopes(NamedTuple):
    """The objects that an entry may name."""

    sites: dict[str, int]
    groups: dict[str, int]

    @classmethod
    def of(cls, *, to: Person | None = None) -> Self:
        """The sites and groups that `to` may see; all for a file."""
        sites, groups = Site.objects.all(), Group.objects.all()
        if to is not None:
            sites, groups = visible(sites, to=to), visible(groups, to=to)
        return cls(dict(sites.values_list("code", "pk")), dict(groups.values_list("name", "pk")))


def entry_of(rule: Rule) -> RuleEntry:
    has_limits = rule.limit is not None
    return RuleEntry(
        **{name: getattr(rule, name) for name in COPIED},
        severity="" if has_limits else rule.severity,
        thresholds=[ThresholdEntry(**one) for one in rule.thresholds] if has_limits else [],
        site=rule.site.code if rule.site else "",
        group=rule.group.name if rule.group else "",
    )


def fill(rule: Rule, entry: RuleEntry, scopes: KnownScopes, *, is_name_known: bool = False) -> list[EntryFault]:
    """Copy `entry` to `rule`; returns its errors.

    With `is_name_known` the caller has looked up the name already, and no query checks whether it is free.
    """
    faults = []
    for name in COPIED:
        setattr(rule, name, getattr(entry, name))
    if entry.thresholds and entry.severity:
        faults.append(EntryFault(".severity", gettext("Each threshold has its own severity. Leave this field out.")))
    first, *higher = [msgspec.to_builtins(one) for one in entry.thresholds] or [{"severity": entry.severity}]
    rule.severity, rule.limit, rule.lower_limit = first["severity"], first.get("limit"), first.get("lower_limit")
    rule.higher_thresholds = higher
    rule.site_id, rule.group_id = scopes.sites.get(entry.site), scopes.groups.get(entry.group)
    if entry.site and rule.site_id is None:
        faults.append(EntryFault(".site", gettext("Unknown site code. Enter the code of an existing site.")))
    if entry.group and rule.group_id is None:
        faults.append(EntryFault(".group", gettext("Unknown group. Enter the name of an existing group.")))
    return faults + _check(rule, is_name_known=is_name_known)


def _check(rule: Rule, *, is_name_known: bool) -> list[EntryFault]:
    try:
        rule.full_clean(exclude=("site", "group"), validate_constraints=not is_name_known)
    except ValidationError as error:
        errors = error.message_dict.items()
        return [EntryFault(FIELDS.get(name, f".{name}"), " ".join(messages)) for name, messages in errors]
    return []

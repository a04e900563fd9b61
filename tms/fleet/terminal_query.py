"""The fields of queries about terminals: what the fleet knows. Other apps add theirs when they are ready."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import visible
from tms.fleet.models import Group, Lifecycle, Presence, Site, Status, Terminal, TerminalKind
from tms.fleet.models.outage import Outage
from tms.fleet.suggested_values import MAX_VALUES, Existing, region_names, site_codes
from tms.lib.db.pattern_lookup import ANY
from tms.query.fields import Field, FieldSet, MovedBy
from tms.query.tree import Operator
from tms.query.tree import Value as Written
from tms.query.value_kinds import MOMENT, PART_OF_TEXT, TEXT, VERSION, TextKind, choices

SITE_NAMES = ("site__code", "site__name", "site__name_ja")
LABEL_NAMES = ("label", "place")


def terminals_with(word: str) -> Q:
    """Terminals with a word in their UID, location, serial number, model, address or the names of their site."""
    sites = Site.objects.filter(Q(code__iexact=word) | Q(name__icontains=word) | Q(name_ja__icontains=word))
    return Q(site__in=sites.values("pk")) | Q(words__contains=Upper(Value(word)))


class OfWords:
    """The comparison of a column that `words` contains, whose index finds the few rows in question."""

    def __init__(self, column: str, kind: TextKind) -> None:
        self._column, self._kind = column, kind

    def __call__(self, operator: Operator, wanted: Written, at: datetime) -> Q:
        found = self._kind.compare(self._column, operator, wanted, at)
        longest = max(wanted.text.split(ANY) if not wanted.is_quoted else [wanted.text], key=len)
        return found & Q(words__contains=Upper(Value(longest))) if longest else found


def _in_groups(groups: Q) -> Q:
    return Q(pk__in=Group.terminals.through.objects.filter(groups).values("terminal"))


def _in_group(operator: Operator, wanted: Written, at: datetime) -> Q:
    if not wanted.text:
        return ~_in_groups(Q())
    return _in_groups(TEXT.compare("group__name", operator, wanted, at))


def _group_names(person: Any, begun: str) -> Iterable[str]:
    groups = visible(Group.objects.filter(name__icontains=begun).order_by("name"), to=person)
    return groups.values_list("name", flat=True)[:MAX_VALUES]


def _lost_with(operator: Operator, wanted: Written, at: datetime) -> Q:
    dropped = Outage.objects.open().exclude(node="").order_by()
    if not wanted.text:
        return ~Q(pk__in=dropped.values("terminal"))
    return Q(pk__in=dropped.filter(TEXT.compare("node", operator, wanted, at)).values("terminal"))


def _lost_nodes(person: Any, begun: str) -> Iterable[str]:
    dropped = visible(Outage.objects.open().filter(node__istartswith=begun).exclude(node=""), to=person)
    return dropped.order_by("node").values_list("node", flat=True).distinct()[:MAX_VALUES]


TERMINAL_FIELDS = FieldSet(
    Field(
        "site", _("Code or name of the site"), TEXT, ("site__code", "site__name", "site__name_ja"), suggest=site_codes
    ),
    Field("region", _("Region of the site"), TEXT, ("site__region",), suggest=region_names),
    Field("kind", _("Kind of terminal"), choices(dict(TerminalKind.choices)), ("kind",)),
    Field("uid", _("UID"), TEXT, compare=OfWords("uid", TEXT), suggest=Existing(Terminal, "uid")),
    Field(
        "location",
        _("Part of the location"),
        PART_OF_TEXT,
        aliases=LABEL_NAMES,
        compare=OfWords("label", PART_OF_TEXT),
        suggest=Existing(Terminal, "label"),
    ),
    Field("model", _("Model"), TEXT, ("model",), suggest=Existing(Terminal, "model")),
    Field("serial", _("Serial number"), TEXT, compare=OfWords("serial", TEXT), suggest=Existing(Terminal, "serial")),
    Field("firmware", _("Version of the firmware"), VERSION, ("firmware",), suggest=Existing(Terminal, "firmware")),
    Field("agent", _("Version of the agent"), VERSION, ("agent",), suggest=Existing(Terminal, "agent")),
    Field("state", pgettext_lazy("lifecycle", "Lifecycle state"), choices(dict(Lifecycle.choices)), ("lifecycle",)),
    Field("group", _("Group that it belongs to"), TEXT, compare=_in_group, suggest=_group_names),
    Field("via", _("UID of the terminal that it is connected via"), TEXT, ("parent__uid",), ("parent",)),
    Field("created", _("Age, or the day when it was added"), MOMENT, ("created_at",), moved_by=MovedBy.TIME),
    Field(
        "presence",
        _("Presence"),
        choices(dict(Presence.choices)),
        ("state__presence",),
        moved_by=MovedBy.PRESENCE,
    ),
    Field(
        "status",
        _("Status that it reports"),
        choices(dict(Status.choices)),
        ("state__status",),
        moved_by=MovedBy.STATUS,
    ),
    Field(
        "seen",
        _("Time since it was last seen"),
        MOMENT,
        ("state__last_seen_at",),
        ("last_seen",),
        moved_by=MovedBy.TIME,
    ),
    Field(
        "lost_with",
        _("Node that dropped it, until it returns"),
        TEXT,
        compare=_lost_with,
        suggest=_lost_nodes,
        moved_by=MovedBy.PRESENCE,
    ),
    words=terminals_with,
)

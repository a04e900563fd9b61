"""The list of a round: what needs attention, what is due and what was inspected, one page at a time."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import Case, Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.http import urlencode

from tms.accounts.access import Person, visible
from tms.fleet.models import Placement, Terminal
from tms.fleet.search import terminals_like
from tms.inspections.models import Inspection, InspectionResult, Round, RoundMember
from tms.lib.db.natural_order import natural
from tms.protocol.text import clean

A_PAGE = 50
SOON = timedelta(days=14)
ON_THE_WAY = timedelta(hours=8)
MAX_SITES, MAX_EARLIER, MAX_WORDS, MAX_PAGES = 8, 5, 64, 1_000


class ListPart(IntEnum):
    """The groups of the list, in order."""

    ATTENTION = 0
    DUE = 1
    LATER = 2
    INSPECTED = 3


NOT_IN_ORDER = Q(current__result__in=(InspectionResult.LOOKS_TAMPERED, InspectionResult.SERIAL_DIFFERS))


def filters(today: date) -> dict[str, Q]:
    """The filters of the list, by their value in its address."""
    waiting = Q(current=None)
    return {
        "overdue": waiting & Q(due_on__lt=today),
        "due": waiting & Q(due_on__range=(today, today + SOON)),
        "tampered": Q(current__result=InspectionResult.LOOKS_TAMPERED),
        "differs": Q(current__result=InspectionResult.SERIAL_DIFFERS),
        "no-photo": Q(current__isnull=False, current__photo=""),
        "inspected": Q(current__isnull=False),
    }


class ListQuery(NamedTuple):
    """What the address asks for. Words that mean nothing are ignored."""

    show: str = ""
    site: str = ""
    words: str = ""
    page: int = 0

    @classmethod
    def of(cls, values: Mapping[str, str], today: date) -> Self:
        show, page = values.get("show", ""), values.get("page", "")
        return cls(
            show if show in filters(today) else "",
            clean(values.get("site", ""))[:8],
            clean(values.get("q", ""))[:MAX_WORDS].strip(),
            min(int(page), MAX_PAGES) if page.isascii() and page.isdigit() and len(page) < 6 else 0,
        )

    def address(self, chosen: Round, **other: str | int) -> str:
        values: dict[str, str | int] = {
            "round": chosen.pk,
            "show": self.show,
            "site": self.site,
            "q": self.words,
            "page": self.page,
            **other,
        }
        return f"?{urlencode({name: value for name, value in values.items() if value})}"

    def apply(self, rows: QuerySet[RoundMember], today: date) -> QuerySet[RoundMember]:
        rows = rows.filter(filters(today)[self.show]) if self.show else rows
        rows = rows.filter(terminal__site__code=self.site) if self.site else rows
        return rows.filter(_like(self.words)) if self.words else rows


def _like(text: str) -> Q:
    terminals = Terminal.objects.filter(terminals_like(text))
    return Q(terminal__in=terminals.values("pk")) | Q(current__seals__icontains=text) | Q(before__seals__icontains=text)


class RoundFigures(NamedTuple):
    total: int
    inspected: int
    due: int
    overdue: int
    tampered: int
    differs: int
    no_photo: int

    @property
    def done_pct(self) -> float:
        return 100 * (self.inspected - self.tampered - self.differs) / self.total if self.total else 0

    @property
    def failed_pct(self) -> float:
        return 100 * (self.tampered + self.differs) / self.total if self.total else 0


def members_of(chosen: Round, person: Person) -> QuerySet[RoundMember]:
    return visible(RoundMember.objects.counted().filter(round=chosen), to=person)


def figures(members: QuerySet[RoundMember], today: date) -> RoundFigures:
    numbers = {name.replace("-", "_"): Count("pk", filter=condition) for name, condition in filters(today).items()}
    return RoundFigures(**members.aggregate(total=Count("pk"), **numbers))


def page_of(members: QuerySet[RoundMember], query: ListQuery, today: date) -> list[RoundMember]:
    """One row more than the page has, if there is another page. Each has its `part`, and the `serial` of its device."""
    part = Case(
        When(NOT_IN_ORDER | filters(today)["overdue"], then=Value(ListPart.ATTENTION.value)),
        When(current__isnull=False, then=Value(ListPart.INSPECTED.value)),
        When(due_on__lte=today + SOON, then=Value(ListPart.DUE.value)),
        default=Value(ListPart.LATER.value),
        output_field=models.IntegerField(),
    )
    placed = Placement.objects.open().filter(terminal=OuterRef("terminal"))
    rows = query.apply(members, today).annotate(part=part, serial=Subquery(placed.values("device__serial")[:1]))
    rows = rows.select_related("terminal__site", "current__by", "current__alert", "before__by")
    # What was inspected last comes first; what waits, by its day.
    rows = rows.order_by("part", F("current__at").desc(nulls_last=True), "due_on", natural("terminal__uid"), "pk")
    begin = query.page * A_PAGE
    return list(rows[begin : begin + A_PAGE + 1])


class SiteProgress(NamedTuple):
    code: str
    name: str
    total: int
    inspected: int

    @property
    def pct(self) -> float:
        return 100 * self.inspected / self.total


def sites_of(members: QuerySet[RoundMember], language: str) -> list[SiteProgress]:
    """All sites of a round, those first where a device is due soonest."""
    columns = ("terminal__site__code", "terminal__site__name", "terminal__site__name_ja")
    rows = (
        members.order_by()
        .values_list(*columns)
        .annotate(
            total=Count("pk"),
            inspected=Count("pk", filter=Q(current__isnull=False)),
            next_due=Min("due_on", filter=Q(current=None)),
        )
    )
    found = sorted(rows, key=lambda row: (row[5] is None, row[5] or date.max, row[0]))
    return [
        SiteProgress(code, (name_ja if language == "ja" else "") or name, total, inspected)
        for code, name, name_ja, total, inspected, _due in found
    ]


class RoundProgress(NamedTuple):
    round: Round
    total: int
    inspected: int
    tampered: int


def progress_of(rounds: Collection[Round], person: Person) -> list[RoundProgress]:
    """The numbers of terminals that the person sees."""
    members = visible(RoundMember.objects.counted().filter(round__in=rounds), to=person)
    rows = (
        members.order_by()
        .values_list("round")
        .annotate(
            total=Count("pk"),
            inspected=Count("pk", filter=Q(current__isnull=False)),
            tampered=Count("pk", filter=Q(current__result=InspectionResult.LOOKS_TAMPERED)),
        )
    )
    numbers: dict[int, Any] = {pk: found for pk, *found in rows}
    return [RoundProgress(one, *numbers.get(one.pk, (0, 0, 0))) for one in rounds]


def on_the_way(rounds: Collection[Round], person: Person, at: datetime) -> list[Inspection]:
    """The last inspection at each site where somebody inspected lately."""
    recent = visible(Inspection.objects.filter(round__in=rounds, at__gt=at - ON_THE_WAY), to=person)
    newest = recent.order_by().values("round", "terminal__site").annotate(newest=Max("pk")).values("newest")
    rows = Inspection.objects.filter(pk__in=newest).select_related("by", "terminal__site", "round")
    return list(rows.order_by("-at")[:MAX_SITES])

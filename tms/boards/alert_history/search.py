"""The list of past alerts: one page, the CSV export, and the choices of its filters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.accounts.display_names import colleagues, name_of
from tms.accounts.me.time_zone import chosen_zone
from tms.alerts.models import Alert, Rule
from tms.boards.alert_history.filters import PRESETS, STATES, UNRESOLVED, PastFilter
from tms.boards.alert_history.rows import NEWEST_FIRST, PastRow, by_opening, past_rows
from tms.boards.list_filters.choices import Choice, site_options
from tms.lib.csv_export import Cell, More
from tms.lib.pagination import KeysetPage
from tms.lib.severity import Severity
from tms.lib.sort_order import SortOrder, sort_headers
from tms.shifts.period import Period

EXPORTED_AT_ONCE = 1_000
SPANS = {"8h": _("8 h"), "24h": _("24 h"), "7d": _("7 d"), "30d": _("30 d"), "90d": _("90 d")}
STATE_LABELS = {UNRESOLVED: _("Unresolved"), "resolved": _("Resolved")}
HEAD = (
    *("opened_at", "severity", "state", "site", "site_name", "terminal", "label", "rule"),
    *(
        "acknowledged_at",
        "acknowledged_by",
        "acknowledged_after_s",
        "resolved_at",
        "lasted_s",
        "suppressed",
        "comment",
        "id",
    ),
)


@dataclass(frozen=True, slots=True)
class Search:
    chosen: PastFilter
    person: Person
    after: str = ""
    before: str = ""
    order: SortOrder = NEWEST_FIRST

    @classmethod
    def of(cls, query: QueryDict, *, person: Person, at: datetime) -> "Search":
        after, before = (query.get(name, "")[:100] for name in ("after", "before"))
        order = SortOrder.of(query, (NEWEST_FIRST.column,), default=NEWEST_FIRST)
        return cls(PastFilter.of(query, at=at), person, after, "" if after else before, order)

    @property
    def address(self) -> str:
        return _address(self.chosen, self.order, after=self.after, before=self.before)

    def page(self) -> dict[str, object]:
        window = by_opening(self.order).window(self._alerts(), after=self.after, before=self.before)
        headers = sort_headers(
            self.order, {NEWEST_FIRST.column: True}, address=lambda order: _address(self.chosen, order)
        )
        parameter = self.order.parameter(default=NEWEST_FIRST)
        return {"alerts": past_rows(window.pks), "headers": headers, "order": parameter, **self._pager(window)}

    def everything(self) -> More:
        """All matches, in chunks by keyset."""
        pages = self._pages()
        return lambda: next(pages, ())

    def choices(self) -> dict[str, object]:
        rules = visible(Rule.objects.all(), to=self.person)
        people = visible(colleagues(), to=self.person)
        people = people.order_by("last_name", "first_name", "username")
        chosen = self.chosen
        return {
            "severities": [Choice(one.value, one.label, one.value in chosen.severity) for one in Severity],
            "states": _select(chosen.state, [(state, STATE_LABELS[state]) for state in STATES]),
            "sites": _select(chosen.site.upper(), site_options(to=self.person)),
            "rules": _select(
                chosen.rule, sorted(((str(rule.pk), rule.local_name) for rule in rules), key=lambda x: x[1])
            ),
            "people": _select(chosen.who, [(person.username, name_of(person).text) for person in people]),
        }

    def spans(self, at: datetime) -> list[Choice]:
        """The same search with other periods."""
        now = self.chosen.span.preset if self.chosen.span else None
        lengths = [(name, label, Period.lasting(name, PRESETS, at=at)) for name, label in SPANS.items()]
        return [
            Choice("", _("Any time"), self.chosen.span is None, _address(replace(self.chosen, span=None), self.order)),
            *(
                Choice(name, label, name == now, _address(replace(self.chosen, span=span), self.order))
                for name, label, span in lengths
            ),
        ]

    def _alerts(self) -> QuerySet[Alert]:
        return self.chosen.apply(visible(Alert.objects.all(), to=self.person))

    def _pages(self) -> Iterator[Sequence[Sequence[Cell]]]:
        after, zone = "", chosen_zone(self.person) or UTC
        while True:
            window = by_opening().window(self._alerts(), after=after, size=EXPORTED_AT_ONCE)
            yield [_export_row(row, zone) for row in past_rows(window.pks)]
            if not (after := window.after):
                return

    def _pager(self, window: KeysetPage) -> dict[str, object]:
        return {
            "shown": len(window.pks),
            "first": _address(self.chosen, self.order) if window.before else "",
            "previous": _address(self.chosen, self.order, before=window.before) if window.before else "",
            "next": _address(self.chosen, self.order, after=window.after) if window.after else "",
        }


def _address(chosen: PastFilter, order: SortOrder, *, after: str = "", before: str = "") -> str:
    given = {"order": order.parameter(default=NEWEST_FIRST), "after": after, "before": before}
    cursor = urlencode({name: value for name, value in given.items() if value})
    query = "&".join(filter(None, (chosen.query, cursor)))
    return reverse("past-alerts") + (f"?{query}" if query else "")


def _select(chosen: str, options: Sequence[tuple[str, str | Promise]]) -> list[Choice]:
    return [Choice(value, label, value == chosen) for value, label in options]


def _export_row(row: PastRow, zone: tzinfo) -> Sequence[Cell]:
    return (
        _write_instant(row.opened_at, zone),
        row.severity,
        row.state,
        row.site_label.code,
        str(row.site_label.name),
        row.uid,
        row.label,
        str(row.rule),
        _write_instant(row.first_acknowledged_at, zone),
        row.first_acknowledged_by.text if row.first_acknowledged_by else None,
        row.acknowledged_after_s,
        _write_instant(row.resolved_at, zone),
        row.lasted_s,
        row.suppressed,
        row.comment,
        row.pk,
    )


def _write_instant(at: datetime | None, zone: tzinfo) -> str | None:
    """An instant in the time zone that the person chose, with its offset; otherwise in UTC."""
    return at.astimezone(zone).isoformat() if at else None

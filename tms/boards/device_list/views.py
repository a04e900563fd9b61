"""The page of the list of devices, and its export."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from tms.accounts.access import Person, may, visible
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.permissions import Permission
from tms.boards.device_list.rows import BY_SERIAL, HEAD, device_rows, rows_to_export
from tms.boards.list_filters.filters import text
from tms.boards.list_filters.query_filter import MAX_QUERY_CHARACTERS, QueryFilter
from tms.boards.responses import render_problem
from tms.fleet.device_query import DEVICE_FIELDS
from tms.fleet.models import Device, DeviceState
from tms.lib import csv_export

MAX_CURSOR_CHARACTERS = 200


@dataclass(frozen=True)
class DeviceFilter(QueryFilter):
    known = DEVICE_FIELDS

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        return cls(text(query, "q", MAX_QUERY_CHARACTERS))

    def apply(self, rows: QuerySet[Device]) -> QuerySet[Device]:
        return rows.filter(self.condition)


class StateTab(NamedTuple):
    label: str | Promise
    address: str
    number: int
    is_current: bool


@require_safe
@never_cache
@sign_in_required
def devices(request: AuthenticatedRequest) -> HttpResponse:
    """A page of them, by serial number; `after` or `before` a cursor."""
    chosen = DeviceFilter.of(request.GET)
    is_partial = request.htmx.request_type == "partial"
    if chosen.problem and is_partial:
        return render_problem(request, chosen)
    values = {
        "nav_item": "devices",
        "chosen": chosen,
        "tabs": _tabs(chosen, request.user),
        "exported": _address(chosen, "export-devices"),
        "may_import": may(request.user, Permission.IMPORT_FLEET),
        **_page(chosen, request),
    }
    if not is_partial:
        return render(request, "boards/devices.html", values)
    return replace_url(render(request, "boards/devices.html#results", values), _address(chosen))


@require_safe
@never_cache
@sign_in_required
def export_devices(request: AuthenticatedRequest) -> HttpResponseBase:
    """The devices that match, as CSV."""
    chosen = DeviceFilter.of(request.GET)
    recorder.record_export(Device, "csv", chosen.query)
    more = rows_to_export(chosen.apply(visible(Device.objects.all(), to=request.user)))
    return csv_export.stream(f"tms-devices-{timezone.localdate():%Y-%m-%d}.csv", HEAD, more)


def _page(chosen: DeviceFilter, request: AuthenticatedRequest) -> dict[str, object]:
    after, before = (request.GET.get(name, "")[:MAX_CURSOR_CHARACTERS] for name in ("after", "before"))
    rows = chosen.apply(visible(Device.objects.all(), to=request.user))
    window = BY_SERIAL.window(rows, after=after, before=before)
    return {
        "devices": device_rows(window.pks),
        "first": _address(chosen) if window.before else "",
        "previous": _address(chosen, before=window.before) if window.before else "",
        "next": _address(chosen, after=window.after) if window.after else "",
    }


def _tabs(chosen: DeviceFilter, person: Person) -> list[StateTab]:
    """All devices and those of each state that match the rest of the query, with their numbers."""
    others, states = chosen.with_only("state"), chosen.chosen("state")
    found = others.apply(visible(Device.objects.order_by(), to=person)).values_list("state").annotate(n=Count("pk"))
    numbers: dict[str, int] = dict(found)
    return [
        StateTab(pgettext_lazy("devices", "All"), _address(others), sum(numbers.values()), not states),
        *(
            StateTab(
                state.label,
                _address(others.with_only("state", state.value)),
                numbers.get(state.value, 0),
                states == (state.value,),
            )
            for state in DeviceState
        ),
    ]


def _address(chosen: DeviceFilter, name: str = "devices", **cursor: str) -> str:
    query = "&".join(filter(None, (chosen.query, urlencode(cursor))))
    return reverse(name) + (f"?{query}" if query else "")

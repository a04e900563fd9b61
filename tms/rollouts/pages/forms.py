"""The form of a new rollout. It makes the values that services check and store, as the REST operation does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.artifacts.models import Artifact
from tms.configuration.models import ConfigurationVersion, VersionState
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours
from tms.lib.calendar.durations import SpanField
from tms.lib.calendar.local_time import instant, local_time
from tms.lib.db.natural_order import natural
from tms.lib.forms import LocalDateTimeField, Plain
from tms.lib.forms.combobox import RowsField, Suggestions
from tms.lib.text_fields import FormLine, FormLines
from tms.rollouts.effects.decision import FAILED_AFTER, FAILED_PCT
from tms.rollouts.effects.measures import DEFAULT_MEASURES
from tms.rollouts.models import ApprovalRule, LateTerminals, PostponedThen, RolloutKind, WaveKind
from tms.rollouts.pages.effects import LABELS
from tms.rollouts.values import (
    DEFAULT_WAVES,
    MAX_WAVES,
    FailureRule,
    Postponing,
    RolloutValues,
    WaveValues,
)

QUERY, TERMINALS = "query", "terminals"
SHORT = ("postpone_limit", "postpone_s", "mobile_mb", "failed_pct", "failed_after")
FIELD_OF: Mapping[str, str] = {
    "$.name": "name",
    "$.artifacts": "artifact",
    "$.version": "version",
    "$.query": "q",
    "$.terminals": "terminals",
    "$.at_once": "at_once",
    "$.per_site": "per_site",
    "$.hours": "hours",
    "$.starts_at": "starts_at",
    "$.until": "until",
    "$.approval": "approval",
    "$.postponing.limit": "postpone_limit",
    "$.postponing.after_s": "postpone_s",
    "$.mobile_mb": "mobile_mb",
    "$.measures": "measures",
    "$.failures.above_pct": "failed_pct",
    "$.failures.after": "failed_after",
}
"""Where the form shows what the service refuses."""
WATCHED = (
    ("", _("one opening day")),
    ("4", _("4 hours")),
    ("12", _("12 hours")),
    ("24", _("1 day")),
    ("72", _("3 days")),
    ("168", _("7 days")),
)
SIZES: Mapping[str, tuple[int, int]] = {
    WaveKind.CANARY: (1, 100),
    WaveKind.SHARE: (1, 99),
    WaveKind.NUMBER: (1, 100_000),
    WaveKind.SITES: (1, 100_000),
}
"""The least and greatest size of a wave, by kind; the others have none."""


@dataclass(frozen=True, slots=True)
class WaveRow:
    """A row of the table of waves, as it was typed."""

    kind: WaveKind
    size: str = ""
    watch: str = ""
    error: str = ""
    number: int | None = None
    """How many terminals it would have now; None while that is not known."""

    @classmethod
    def of(cls, wave: WaveValues) -> Self:
        hours = wave.watch_hours
        return cls(wave.kind, str(wave.size) if wave.size else "", f"{hours:g}" if hours else "")

    @property
    def title(self) -> str:
        return f"{self.size}%" if self.kind == WaveKind.SHARE else str(self.kind.label)

    @property
    def has_size(self) -> bool:
        return self.kind in SIZES

    @property
    def is_fixed(self) -> bool:
        """The canary, the rest and what is held back are always there."""
        return self.kind in (WaveKind.REST, WaveKind.HELD_BACK)

    @property
    def watch_hours(self) -> float | None:
        return float(self.watch) if self.watch else None

    @property
    def values(self) -> WaveValues:
        """Call it for a row that was checked."""
        return WaveValues(self.kind, int(self.size or 0), self.watch_hours)

    def checked(self) -> Self:
        """Itself, with what is wrong."""
        if not self.has_size:
            return replace(self, size="", error="")
        low, high = SIZES[self.kind]
        text = self.size.strip()
        is_right = text.isascii() and text.isdigit() and len(text) < 7 and low <= int(text) <= high
        error = "" if is_right else gettext("From %(low)s to %(high)s.") % {"low": low, "high": high}
        return replace(self, error=error)


class RolloutForm(Plain, forms.Form):
    use_required_attribute = False  # the preview must not wait for the name

    kind = forms.ChoiceField(
        label=_("What changes"), choices=RolloutKind, widget=forms.RadioSelect, initial=RolloutKind.ARTIFACT
    )
    artifact = forms.ModelChoiceField(Artifact.objects.none(), label=_("Artifact"), required=False)
    then = forms.ModelChoiceField(
        Artifact.objects.none(),
        label=_("Then"),
        required=False,
        help_text=_("Installed after the first one, such as an application after its operating system."),
    )
    version = forms.ModelChoiceField(
        ConfigurationVersion.objects.none(), label=_("Configuration version"), required=False
    )
    name = FormLine(label=_("Name"), max_length=100)
    by = forms.ChoiceField(
        label=pgettext_lazy("job", "Targets by"),
        choices=((QUERY, _("Query")), (TERMINALS, pgettext_lazy("job", "Chosen terminals"))),
        widget=forms.RadioSelect,
        initial=QUERY,
    )
    q = FormLines(label=_("Query"), max_length=2_000, required=False)
    terminals = RowsField(
        Terminal.objects.order_by(natural("uid")),
        label=_("Terminals"),
        key="uid",
        widget=Suggestions("suggest-terminals", **{"for": Permission.RUN_ROLLOUTS.key}),
        unknown=_("Unknown terminals: %(keys)s. Check the UIDs."),
        required=False,
        help_text=_("By UID. A list can be pasted."),
    )
    late = forms.ChoiceField(label=_("Terminals that match later"), choices=LateTerminals)
    starts_at = LocalDateTimeField(label=pgettext_lazy("job", "Start"))
    until = LocalDateTimeField(label=_("Ends if unfinished"))
    hours = forms.ChoiceField(label=pgettext_lazy("job", "Hours"), choices=JobHours)
    at_once = forms.IntegerField(label=pgettext_lazy("job", "At once"), min_value=1, max_value=1_000)
    per_site = forms.IntegerField(label=pgettext_lazy("job", "At once at a site"), min_value=1, max_value=1_000)
    approval = forms.ChoiceField(label=_("A second person approves"), choices=ApprovalRule)
    postpone_limit = forms.IntegerField(label=_("Postponed at most"), min_value=0, max_value=100)
    postpone_s = SpanField(label=_("For"))
    postponed_then = forms.ChoiceField(label=_("Then"), choices=PostponedThen)
    mobile_mb = forms.IntegerField(
        label=_("Over a mobile link at most"), min_value=0, max_value=1_000_000, required=False
    )
    measures = forms.MultipleChoiceField(
        label=_("Effects, updated against waiting"),
        choices=list(LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    failed_pct = forms.IntegerField(label=_("Stop above (failed, %)"), min_value=0, max_value=99, required=False)
    failed_after = forms.IntegerField(label=pgettext_lazy("job", "Of at least"), min_value=1, max_value=10_000)
    comment = FormLines(label=pgettext_lazy("action", "Comment"), max_length=500, required=False)

    def __init__(self, data: Any = None, *, by: User, **options: Any) -> None:
        super().__init__(data, **options)
        usable = Artifact.objects.usable().order_by("name", "-pk")
        self._offer("artifact", usable)
        self._offer("then", usable)
        self._offer("version", ConfigurationVersion.objects.filter(state=VersionState.READY))
        self._offer("terminals", permitted(Terminal.objects.all(), by=by, permission=Permission.RUN_ROLLOUTS))
        self.wave_rows: Sequence[WaveRow] = list(_typed(data)) if data is not None else self.initial["waves"]
        self.dress()
        for name in SHORT:
            self.fields[name].widget.attrs["class"] = "input short"

    @property
    def problems(self) -> set[str]:
        """The fields that hinder a preview: it needs no name."""
        return set(self.errors) - {"name", "comment"}

    @property
    def picked(self) -> list[str]:
        """UIDs of the chosen terminals, known or not."""
        return [str(getattr(one, "uid", one)) for one in self["terminals"].value() or ()]

    @property
    def chosen_artifacts(self) -> list[Artifact]:
        found = (self.cleaned_data.get("artifact"), self.cleaned_data.get("then"))
        return [artifact for artifact in found if artifact] if self.is_of_artifacts else []

    @property
    def is_of_artifacts(self) -> bool:
        return bool(self.cleaned_data.get("kind") == RolloutKind.ARTIFACT)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        what = "artifact" if cleaned.get("kind") == RolloutKind.ARTIFACT else "version"
        if not cleaned.get(what) and what not in self.errors:
            self.add_error(what, gettext("Choose what the terminals get."))
        if cleaned.get("by") == QUERY and not cleaned.get("q") and "q" not in self.errors:
            self.add_error("q", gettext("Enter a query, such as kind:kiosk."))
        if cleaned.get("by") == TERMINALS and not cleaned.get("terminals") and "terminals" not in self.errors:
            self.add_error("terminals", gettext("Choose terminals."))
        self._check_times(cleaned)
        self.wave_rows = [row.checked() for row in self.wave_rows]
        if any(row.error for row in self.wave_rows):
            self.add_error(None, gettext("A wave has no valid size."))
        return cleaned

    def values(self, at: datetime) -> RolloutValues:
        """What it asks for. Call it after `is_valid()`, or without `problems` for a preview."""
        given = self.cleaned_data
        is_query = given["by"] == QUERY
        starts_at = _aware(given["starts_at"])
        return RolloutValues(
            name=given.get("name") or "-",
            comment=given.get("comment") or "",
            artifacts=self.chosen_artifacts,
            version=None if self.is_of_artifacts else given["version"],
            query=given["q"] if is_query else "",
            terminals=() if is_query else list(given["terminals"]),
            waves=[row.values for row in self.wave_rows],
            late=LateTerminals(given["late"]),
            hours=JobHours(given["hours"]),
            at_once=given["at_once"],
            per_site=given["per_site"],
            starts_at=starts_at if starts_at > at else None,
            until=_aware(given["until"]),
            approval=ApprovalRule(given["approval"]),
            postponing=Postponing(
                given["postpone_limit"], int(given["postpone_s"]), PostponedThen(given["postponed_then"])
            ),
            mobile_mb=given.get("mobile_mb") or 0,
            measures=given["measures"],
            failures=FailureRule(given.get("failed_pct") or 0, given["failed_after"]),
        )

    def add_fault(self, where: str, text: str) -> None:
        """Show what the service refused, at its field if there is one."""
        self.add_error(FIELD_OF.get(where), text)

    def _check_times(self, cleaned: dict[str, Any]) -> None:
        starts_at, until = cleaned.get("starts_at"), cleaned.get("until")
        if starts_at and until and until <= starts_at:
            self.add_error("until", gettext("It must end after its start."))

    def _offer(self, field: str, rows: Any) -> None:
        self.fields[field].queryset = rows  # type: ignore[attr-defined]


def _aware(local: datetime) -> datetime:
    return instant(local, ZoneInfo(timezone.get_current_timezone_name()))


def _typed(data: Any) -> Iterator[WaveRow]:
    """The waves of a submitted form, with what its buttons change. Kinds that are unknown are left out."""
    kinds, sizes, watches = (data.getlist(f"wave_{name}") for name in ("kind", "size", "watch"))
    removed = data.get("remove_wave", "")
    rows = [
        WaveRow(WaveKind(kind), str(size)[:6], watch if watch in dict(WATCHED) else "")
        for index, (kind, size, watch) in enumerate(zip(kinds, sizes, watches, strict=False))
        if kind in WaveKind.values and str(index) != removed
    ][:MAX_WAVES]
    if data.get("add_wave") in SIZES and len(rows) < MAX_WAVES:
        at = next((index for index, row in enumerate(rows) if row.is_fixed), len(rows))
        rows.insert(at, WaveRow(WaveKind(data["add_wave"]), "20"))
    yield from rows


def first_values(at: datetime) -> dict[str, Any]:
    """Initial values of a rollout that is made from nothing."""
    start = local_time(at, ZoneInfo(timezone.get_current_timezone_name())).replace(second=0, microsecond=0)
    return {
        "kind": RolloutKind.ARTIFACT,
        "by": QUERY,
        "late": LateTerminals.LAST_WAVE,
        "starts_at": start,
        "until": start + timedelta(days=14),
        "hours": JobHours.CLOSED,
        "at_once": 40,
        "per_site": 1,
        "approval": ApprovalRule.NONE,
        "postpone_limit": 3,
        "postpone_s": 900,
        "postponed_then": PostponedThen.CLOSING,
        "mobile_mb": 0,
        "measures": list(DEFAULT_MEASURES),
        "failed_pct": FAILED_PCT,
        "failed_after": FAILED_AFTER,
        "waves": [WaveRow.of(wave) for wave in DEFAULT_WAVES],
    }

"""What a preview is about, chosen by a person: a recent alert or incident, or a severity and a site."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.alerts.models import Alert, AlertState, Incident, Rule
from tms.fleet.models import Site
from tms.lib.forms import LocalDateTimeField, Plain, when
from tms.lib.severity import Severity
from tms.lib.text_fields import FormLine
from tms.notifications.messages import alerts as alert_texts
from tms.notifications.policies.preview import case
from tms.notifications.policies.preview.case import PreviewCase

MADE_UP = "made-up"
RECENT = 8
"""How many of each kind are in the list."""
SUBJECT = re.compile(r"(alert|incident)-([0-9]{1,18})")
EARLIEST, LATEST = timedelta(days=31), timedelta(days=366)


class PreviewForm(Plain, forms.Form):
    """The form of a GET. Without a choice it is the first of the list: the newest unresolved incident, if there is
    one.
    """

    subject = FormLine(label=_("Preview with"), required=False, widget=forms.Select)
    severity = forms.ChoiceField(label=_("Severity"), choices=Severity, required=False)
    site = forms.ModelChoiceField(Site.objects.all(), label=_("Site"), required=False)
    at = LocalDateTimeField(
        label=_("Opens at"),
        required=False,
        widget=forms.DateTimeInput(attrs=when("datetime")),
        help_text=_("Leave empty for now. Rotations, quiet hours and maintenance are those of that time."),
    )

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        self._by = by
        sites = self.fields["site"]
        assert isinstance(sites, forms.ModelChoiceField)
        sites.queryset = visible(Site.objects.order_by("name"), to=by)
        self.fields["subject"].widget.choices = list(self._choices())
        self.dress()

    def clean_subject(self) -> Alert | Incident | None:
        """The chosen subject; None if it is made up."""
        chosen = self.cleaned_data["subject"] or self.first
        if not (known := SUBJECT.fullmatch(chosen)):
            return None
        rows = recent_alerts(self._by) if known[1] == "alert" else recent_incidents(self._by)
        found = rows.filter(pk=int(known[2])).first()
        if found is None:
            raise forms.ValidationError(gettext("This alert does not exist, or you don't have access to it."))
        return found

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is None:
            return None
        at, now = at.replace(tzinfo=timezone.get_current_timezone()), timezone.now()
        if not now - EARLIEST <= at <= now + LATEST:
            raise forms.ValidationError(gettext("Enter a time within the last month or the next year."))
        return at

    @property
    def first(self) -> str:
        """The value of the first choice."""
        return str(self.fields["subject"].widget.choices[0][0])

    def case(self, *, now: datetime) -> tuple[PreviewCase | None, datetime]:
        """The case of a valid form, None if there is no site for a made-up alert; and when it opens."""
        at = self.cleaned_data["at"] or now
        subject = self.cleaned_data["subject"]
        if subject is not None:
            return case_of(subject, at=at), at
        sites = self.fields["site"]
        assert isinstance(sites, forms.ModelChoiceField)
        assert sites.queryset is not None
        site = self.cleaned_data["site"] or sites.queryset.first()
        severity = self.cleaned_data["severity"] or Severity.CRITICAL
        return (made_up(severity, site, None, at=at) if site else None), at

    def _choices(self) -> Iterator[tuple[str, str]]:
        for incident in _newest(recent_incidents(self._by)):
            yield f"incident-{incident.pk}", _with_state(incident.title, incident.state)
        for alert in _newest(recent_alerts(self._by).filter(incident=None)):
            yield f"alert-{alert.pk}", _with_state(alert_texts.about([alert]), alert.state)
        yield MADE_UP, gettext("A made-up alert")


def recent_alerts(by: Person) -> QuerySet[Alert]:
    """The alerts that the person sees, the newest first."""
    return visible(Alert.objects.select_related("rule", "terminal__site"), to=by).order_by("-pk")


def recent_incidents(by: Person) -> QuerySet[Incident]:
    return visible(Incident.objects.select_related("site", "group"), to=by).order_by("-pk")


def _newest[Row: Alert | Incident](rows: QuerySet[Row]) -> list[Row]:
    """The newest rows, unresolved ones first."""
    unresolved = list(rows.exclude(state=AlertState.RESOLVED)[:RECENT])
    return [*unresolved, *rows.filter(state=AlertState.RESOLVED)[: RECENT - len(unresolved)]]


def case_of(subject: Alert | Incident, *, at: datetime) -> PreviewCase:
    if isinstance(subject, Alert):
        return case.of_alert(subject, at=at)
    return case.of_incident(subject, at=at)


def made_up(severity: str, site: Site, rule: Rule | None, *, at: datetime) -> PreviewCase:
    title = gettext("%(severity)s at %(site)s") % {"severity": Severity(severity).label, "site": site.local_name}
    return case.made_up(severity, site, rule, title=title, at=at)


def _with_state(title: str, state: str) -> str:
    is_over = state == AlertState.RESOLVED
    return f"{title} ({pgettext('alert', 'Resolved')})" if is_over else title

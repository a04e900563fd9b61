from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from tms.accounts.audit import recorder
from tms.lib.admin import ModelForm
from tms.lib.forms import Plain, free_name
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import MOST_SHOWN, Destination, DestinationKind
from tms.notifications.transports import ssrf_guard
from tms.notifications.transports.apprise.transport import Unsuitable, own_hosts
from tms.notifications.transports.email.transport import addresses
from tms.notifications.transports.webhook.transport import not_outside
from tms.notifications.weekly_hours import HOURS_FIELDS, fault_in_hours, hours_form_fields

LABELS = {
    DestinationKind.EMAIL: _("E-mail addresses"),
    DestinationKind.WEBHOOK: _("Address that receives the events"),
    DestinationKind.SNS: _("ARN of the topic"),
    DestinationKind.CHAT: _("Apprise address"),
}
TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:tms"
HINTS: Mapping[DestinationKind, Any] = {
    DestinationKind.EMAIL: _("Several have commas between them."),
    DestinationKind.WEBHOOK: _("https://… It is never shown again, for it may hold a key."),
    DestinationKind.SNS: TOPIC,
    DestinationKind.CHAT: _("slack://…, workflows://… (Teams). It is never shown again, for it holds a key."),
}
UNCHANGED = _("Leave it empty to keep this one: %(address)s")


class DestinationForm(Plain, ModelForm[Destination]):
    where = FormLine(max_length=2_000, strip=True)

    class Meta:
        model = Destination
        fields = ("name", "language", "person", "enabled", "critical_anyway", *HOURS_FIELDS)

    field_order = ("name", "where", "language", "person", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, where = DestinationKind(self.instance.kind), self.fields["where"]
        where.label, where.help_text = LABELS[kind], HINTS[kind]
        where.widget.attrs["autocomplete"] = "off"
        if self.instance.pk:
            where.required = False
            where.help_text = UNCHANGED % {"address": self.instance.address}
        self.fields |= hours_form_fields(self.instance)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if wrong := fault_in_hours(cleaned, are_needed=False):
            self.add_error(*wrong)
        return cleaned

    def clean_name(self) -> str:
        return free_name(Destination.objects.kept(), self.cleaned_data["name"], self.instance)

    def clean_where(self) -> str:
        where: str = self.cleaned_data["where"]
        if where:
            CHECKS[DestinationKind(self.instance.kind)](where)
        return where

    def save(self, commit: bool = True) -> Destination:
        if where := self.cleaned_data["where"]:
            self.instance.put(where)
        with recorder.change(self.instance):
            destination: Destination = super().save(commit)
        return destination


def _check_email(text: str) -> None:
    for address in addresses(text):
        try:
            validate_email(address)
        except ValidationError:
            wrong = gettext("%(address)s is no e-mail address; expected something like noc@example.com.")
            raise ValidationError(wrong % {"address": address}) from None
    if len(text) > MOST_SHOWN:
        raise ValidationError(gettext("These are too many addresses; make a list of them at your mail server."))


def _check_webhook(url: str) -> None:
    """With the parser of what connects later, so that both mean the same host."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        wrong = gettext("No address; expected one like https://example.com/hook, with a port from 1 to 65535 if any.")
        raise ValidationError(wrong) from None
    if parts.auth is not None:
        raise ValidationError(gettext("Leave out the name and password before the @; TMS signs what it sends."))
    try:
        URLValidator(schemes=("http", "https"))(url)
    except ValidationError:
        raise ValidationError(gettext("Enter an address that begins with https://.")) from None
    _refuse_inside([parts.host or ""])


def _refuse_inside(hosts: Iterable[str]) -> None:
    for host in hosts:
        if address := ssrf_guard.refused_address(host, settings.INSIDE_DESTINATIONS):
            name = host.strip("[]")
            raise ValidationError(not_outside(address if name == address else f"{name} ({address})"))


def _check_topic(arn: str) -> None:
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns" or not all(parts[index] for index in (3, 4, 5)):
        wrong = gettext("This is no ARN of a topic; expected %(example)s.")
        raise ValidationError(wrong % {"example": TOPIC})


def _check_chat(text: str) -> None:
    try:
        hosts = own_hosts(text)
    except Unsuitable as error:
        raise ValidationError(str(error)) from None
    _refuse_inside(hosts)


CHECKS = {
    DestinationKind.EMAIL: _check_email,
    DestinationKind.WEBHOOK: _check_webhook,
    DestinationKind.SNS: _check_topic,
    DestinationKind.CHAT: _check_chat,
}

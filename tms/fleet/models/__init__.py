from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast, Concat, Upper
from django.urls import reverse
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

# Here Django looks for models.
from tms.fleet.models.node import Node  # noqa: F401
from tms.fleet.models.opening_hours import OpeningHours, OwnDay  # noqa: F401
from tms.fleet.models.outage import Outage  # noqa: F401
from tms.lib.calendar.public_holidays import check_calendar
from tms.lib.text_fields import LineField


class TerminalKind(models.TextChoices):
    PAYMENT = "payment", _("Payment terminal")
    KIOSK = "kiosk", _("Kiosk")
    GATE = "gate", _("Ticket gate")
    SIGNAGE = "signage", _("Signage player")
    TABLET = "tablet", _("Tablet")
    COMPUTER = "computer", _("Computer")


class Presence(models.TextChoices):
    """What TMS knows of the link to a terminal; never what the terminal says of itself, nor what people plan for it."""

    ONLINE = "online", pgettext_lazy("presence", "Online")
    SILENT = "silent", pgettext_lazy("presence", "Silent")
    REBOOTING = "rebooting", pgettext_lazy("presence", "Rebooting")
    CLOSED = "closed", pgettext_lazy("presence", "Closed")
    OFFLINE = "offline", pgettext_lazy("presence", "Offline")
    NEVER = "never", pgettext_lazy("presence", "Never seen")


NEEDY_FIRST = (
    Presence.OFFLINE,
    Presence.SILENT,
    Presence.REBOOTING,
    Presence.CLOSED,
    Presence.NEVER,
    Presence.ONLINE,
)
"""Presences by how much they need a person."""


class Status(models.TextChoices):
    """What a terminal says of itself."""

    OK = "ok", pgettext_lazy("status", "OK")
    DEGRADED = "degraded", pgettext_lazy("status", "Degraded")
    FAULT = "fault", pgettext_lazy("status", "Fault")


class Cause(models.TextChoices):
    """Why a terminal's presence is what it is."""

    NONE = "", ""
    REBOOT = "reboot", _("said goodbye to reboot")
    UPDATE = "update", _("said goodbye to update")
    CLOSING = "closing", _("said goodbye for closing time")
    SHUTDOWN = "shutdown", _("said goodbye to shut down")
    CONNECTION_LOST = "connection_lost", _("connection lost")
    LEASE_RAN_OUT = "lease_ran_out", _("nothing heard")
    DID_NOT_RETURN = "did_not_return", _("did not come back")
    NODE_STOPPED = "node_stopped", _("TMS restarted")
    NODE_LOST = "node_lost", _("TMS node lost")
    REPLACED = "replaced", _("another device uses its credential")


OURS = frozenset({Cause.NODE_STOPPED, Cause.NODE_LOST})
"""Silences that TMS itself caused."""


class OnHolidays(models.TextChoices):
    """What public holidays are to a site."""

    AS_USUAL = "as_usual", _("open as on other days")
    CLOSED = "closed", pgettext_lazy("site", "closed")
    OTHER = "other", _("other hours, given below")


class Site(models.Model):
    """A place with terminals: a shop, a station."""

    code = models.SlugField(_("code"), max_length=8, unique=True)
    name = LineField(_("name"), max_length=100)
    name_ja = LineField(_("Japanese name"), max_length=100, blank=True)
    region = LineField(_("region"), max_length=100, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    holiday_calendar = models.CharField(
        _("holidays of"),
        max_length=8,
        default="JP",
        db_default="JP",
        blank=True,
        validators=(check_calendar,),
        help_text=_("A country, or a part of one: JP, DE-BY, US-NY. Empty: none."),
    )
    on_holidays = models.CharField(
        _("on public holidays"),
        max_length=8,
        choices=OnHolidays,
        default=OnHolidays.AS_USUAL,
        db_default=OnHolidays.AS_USUAL,
    )

    audited_relations = ("opening_hours", "own_days")

    class Meta:
        ordering = ("name",)
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        """The name in the language of whoever looks."""
        return self.name_ja if self.name_ja and get_language() == "ja" else self.name


SEARCHED = ("uid", "label", "serial", "model", "address")
"""Columns of a terminal by which a person looks for it."""


class Terminal(models.Model):
    """Who a terminal is. How it is right now stands in `TerminalState`."""

    uid = models.CharField(_("UID"), max_length=64, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="terminals", verbose_name=_("site"))
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("linked through"),
        help_text=_("A router or gateway of the site: while it is away nobody is told of what lies behind it."),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=TerminalKind, default=TerminalKind.KIOSK)
    label = LineField(_("where it stands"), max_length=100, blank=True)
    serial = LineField(_("serial number"), max_length=64, blank=True)
    model = LineField(_("model"), max_length=64, blank=True)
    firmware = LineField(_("firmware"), max_length=64, blank=True)
    agent = LineField(_("agent"), max_length=64, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    # Reader: the search of the boards (index: terminal_words, where PostgreSQL has pg_trgm).
    words = models.GeneratedField(
        expression=Upper(
            Concat(
                *chain.from_iterable(
                    (Cast(name, models.TextField()), models.Value("\n", models.TextField())) for name in SEARCHED
                )
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    state: TerminalState

    class Meta:
        ordering = ("uid",)
        verbose_name = _("terminal")
        verbose_name_plural = _("terminals")

    def __str__(self) -> str:
        return self.uid

    def get_absolute_url(self) -> str:
        return reverse("terminal", args=(self.uid,))


class Group(models.Model):
    """Any set of terminals."""

    name = LineField(_("name"), max_length=100, unique=True)
    terminals = models.ManyToManyField(Terminal, related_name="groups", blank=True, verbose_name=_("terminals"))

    class Meta:
        ordering = ("name",)
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name


class StateQuerySet(models.QuerySet["TerminalState"]):
    def due(self, at: datetime) -> Self:
        """Whose presence has to be looked at again by `at` (index: state_due, read by the sweep)."""
        return self.filter(due_at__lte=at)

    def held_by(self, node: str | None) -> Self:
        """Online over a link that `node` holds; over any link for None."""
        online = self.filter(presence=Presence.ONLINE)
        return online if node is None else online.filter(node=node)


class TerminalState(models.Model):
    """How a terminal is right now: hot and narrow, written by every flush.

    `due_at` is when the sweep must look at it; while a terminal is online it trails `lease_at`, which no index covers,
    so that renewing a lease touches no index.
    """

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="state")
    presence = models.CharField(_("presence"), max_length=16, choices=Presence, default=Presence.NEVER)
    presence_at = models.DateTimeField(_("since"), null=True)
    cause = models.CharField(_("cause"), max_length=24, choices=Cause, default=Cause.NONE, blank=True)
    back_at = models.DateTimeField(_("back at"), null=True)
    due_at = models.DateTimeField(null=True)
    lease_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True)
    session = models.BigIntegerField(default=0)
    node = models.CharField(max_length=64, default="", blank=True)
    boot_id = models.CharField(max_length=64, default="", blank=True)
    seq = models.BigIntegerField(default=0)
    status = models.CharField(_("status"), max_length=16, choices=Status, default="", blank=True)
    status_at = models.DateTimeField(null=True)
    metrics = models.JSONField(default=dict, blank=True)

    objects = StateQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("due_at",), name="state_due", condition=models.Q(due_at__isnull=False)),
            # Reader: the boards' filter and counts by presence.
            models.Index(fields=("presence",), name="state_presence"),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id}: {self.presence}"


class PresenceChange(models.Model):
    """History of presence: the timeline, the presence band, what changed lately."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="presence_changes")
    at = models.DateTimeField()
    presence = models.CharField(max_length=16, choices=Presence)
    before = models.CharField(max_length=16, choices=Presence)
    cause = models.CharField(max_length=24, choices=Cause, default=Cause.NONE, blank=True)
    back_at = models.DateTimeField(null=True)
    session = models.BigIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(fields=("terminal", "-at"), name="presencechange_terminal"),
            models.Index(fields=("-at",), name="presencechange_at"),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.before} → {self.presence}"


class Credential(models.Model):
    """A terminal's key, kept only as the SHA-256 of its 256-bit secret. Two may be valid at once, for rotation."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="credentials")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        # Reader: every node's look for links that must close.
        indexes = (
            models.Index(
                fields=("revoked_at",), name="credential_revoked", condition=models.Q(revoked_at__isnull=False)
            ),
            models.Index(
                fields=("expires_at",), name="credential_expires", condition=models.Q(expires_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.digest[:8]}"


class EnrolmentToken(models.Model):
    """Lets one new terminal of a site fetch its credential, once."""

    digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, models.CASCADE, related_name="enrolment_tokens")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    terminal = models.ForeignKey(Terminal, models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("enrolment token")
        verbose_name_plural = _("enrolment tokens")

    def __str__(self) -> str:
        return f"{self.site} {self.digest[:8]}"

"""Terminals, their current state, and groups of them."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Self

from django.db import models
from django.db.models.functions import Cast, Concat, Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByGroup, ByTerminal
from tms.fleet.lifecycle import COUNTED, Lifecycle
from tms.fleet.models.site import Site
from tms.fleet.models.states import Cause, Presence, Status
from tms.lib.db.natural_order import natural
from tms.lib.db.version_order import VersionKey
from tms.lib.text_fields import LineField, LinesField


class TerminalKind(models.TextChoices):
    PAYMENT = "payment", _("Payment terminal")
    KIOSK = "kiosk", _("Kiosk")
    GATE = "gate", _("Ticket gate")
    SIGNAGE = "signage", _("Signage player")
    TABLET = "tablet", _("Tablet")
    COMPUTER = "computer", _("Computer")


SEARCHED = ("uid", "label", "serial", "model", "address")
"""Columns that the search for terminals covers."""


class TerminalQuerySet(models.QuerySet["Terminal"]):
    def counted(self) -> Self:
        """Terminals in service: the ones that totals, impact and correlation count."""
        return self.filter(lifecycle__in=COUNTED)


class Terminal(models.Model):
    """What does a job at a site: a lane, a screen. Its current state is in `TerminalState`.

    `serial`, `model`, `firmware` and `agent` are what its device reported last.
    """

    uid = models.CharField(_("UID"), max_length=64, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="terminals", verbose_name=_("site"))
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("connected via"),
        help_text=_("A router or gateway. While it is offline, nobody is notified of terminals behind it."),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=TerminalKind, default=TerminalKind.KIOSK)
    label = LineField(_("location"), max_length=100, blank=True)
    serial = LineField(_("serial number"), max_length=64, blank=True)
    model = LineField(_("model"), max_length=64, blank=True)
    firmware = LineField(_("firmware"), max_length=64, blank=True)
    agent = LineField(_("agent"), max_length=64, blank=True)
    features: models.JSONField[list[str], list[str]] = models.JSONField(
        _("features"), default=list, db_default=[], editable=False
    )
    """The parts of the protocol beyond the basics that it understands: `config`, `update`."""
    software: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        _("software"), default=dict, db_default={}, editable=False
    )
    """The versions of what is installed beside the firmware, by name, as it reported last."""
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    lifecycle = models.CharField(
        pgettext_lazy("lifecycle", "state"),
        max_length=16,
        choices=Lifecycle,
        default=Lifecycle.IN_SERVICE,
        db_default=Lifecycle.IN_SERVICE,
    )
    lifecycle_at = models.DateTimeField(_("state since"), null=True, editable=False)
    """When its lifecycle state changed last; None if it never did."""
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

    objects = TerminalQuerySet.as_manager()
    scope_path = ByTerminal()

    class Meta:
        ordering = ("uid",)
        # Reader: the terminals page, in natural order.
        indexes = (
            models.Index(natural("uid"), name="terminal_natural_uid"),
            # Readers: the rules in force, the numbers of planned terminals and of those out of service.
            models.Index(
                fields=("lifecycle",), name="terminal_lifecycle", condition=~models.Q(lifecycle=Lifecycle.IN_SERVICE)
            ),
            # Reader: queries that compare versions.
            models.Index(VersionKey("firmware"), name="terminal_firmware_order"),
            # Readers: the device that reported a serial number, and the search for a spare one.
            models.Index(fields=("serial",), name="terminal_serial", condition=~models.Q(serial="")),
        )
        verbose_name = _("terminal")
        verbose_name_plural = _("terminals")

    def __str__(self) -> str:
        return self.uid

    def get_absolute_url(self) -> str:
        return reverse("terminal", args=(self.uid,))

    @property
    def short_uid(self) -> str:
        """The UID without the code of its site: `GTE-06` of `SJK-GTE-06`."""
        return self.uid.removeprefix(f"{self.site.code}-")


class Group(models.Model):
    """Any set of terminals: chosen by people, or those that a query selects.

    The members of a dynamic group are rows like those of any other, so that everything else need not know.
    """

    name = LineField(_("name"), max_length=100, unique=True)
    query = LinesField(_("query"), max_length=2_000, blank=True, default="", db_default="")
    """What selects the members; empty if people choose them."""
    evaluated_at = models.DateTimeField(null=True, editable=False)
    """When the query was asked of all terminals the last time."""
    terminals = models.ManyToManyField(Terminal, related_name="groups", blank=True, verbose_name=_("terminals"))

    scope_path = ByGroup()

    class Meta:
        ordering = ("name",)
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name

    @property
    def is_dynamic(self) -> bool:
        return bool(self.query)


class StateQuerySet(models.QuerySet["TerminalState"]):
    def due(self, at: datetime) -> Self:
        """States that the sweep has to check by `at` (index: state_due)."""
        return self.filter(due_at__lte=at)

    def counted(self) -> Self:
        """The states of terminals in service."""
        return self.filter(terminal__lifecycle__in=COUNTED)

    def on_node(self, node: str | None) -> Self:
        """Online over a link of `node`; over any link for None. Terminals that poll have none."""
        online = self.filter(presence=Presence.ONLINE)
        return online.exclude(node="") if node is None else online.filter(node=node)


class TerminalState(models.Model):
    """The current state of a terminal, in a narrow table that every flush writes.

    `due_at` is when the sweep must check it. While a terminal is online it lags behind `lease_at`, which has no index,
    so that renewing a lease updates no index.
    """

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="state")
    presence = models.CharField(_("presence"), max_length=16, choices=Presence, default=Presence.NEVER)
    presence_at = models.DateTimeField(_("since"), null=True)
    cause = models.CharField(_("cause"), max_length=24, choices=Cause, default=Cause.NONE, blank=True)
    back_at = models.DateTimeField(_("expected back"), null=True)
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
    scope_path = ByTerminal("terminal")

    class Meta:
        indexes = (
            models.Index(fields=("due_at",), name="state_due", condition=models.Q(due_at__isnull=False)),
            # Reader: the boards' filter and counts by presence.
            models.Index(fields=("presence",), name="state_presence"),
            # Reader: the evaluation of rollouts, for faults that began.
            models.Index(fields=("status_at",), name="state_fault", condition=models.Q(status=Status.FAULT)),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id}: {self.presence}"

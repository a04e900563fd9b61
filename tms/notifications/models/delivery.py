"""Deliveries, and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from django.db import models
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByOwner, ByTerminal, Scope, ScopePath, Through
from tms.alerts.models import Alert, Incident
from tms.lib.text_fields import LinesField
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.subjects import AboutOne, about_one
from tms.notifications.transports.result import MAX_REFERENCE

GIVE_UP_AFTER = timedelta(days=1)
LEASE = timedelta(seconds=45)
"""Longer than any transport takes: a worker that has not recorded a result by then is dead."""


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("delivery", "Waiting")
    SENDING = "sending", pgettext_lazy("delivery", "Sending")
    SENT = "sent", pgettext_lazy("delivery", "Sent")
    DEAD = "dead", pgettext_lazy("delivery", "Failed")
    WITHDRAWN = "withdrawn", pgettext_lazy("delivery", "Cancelled")


class NotificationKind(models.TextChoices):
    """Why a delivery is sent: what happened to alerts, incidents or the fleet, a shift digest, or a report."""

    OPENED = "opened", pgettext_lazy("notification", "Opened")
    WORSENED = "worsened", pgettext_lazy("notification", "Worsened")
    FLAPPING = "flapping", pgettext_lazy("notification", "Flapping")
    STABLE = "calm", pgettext_lazy("notification", "Flapping stopped, unresolved")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("notification", "Acknowledged")
    ASSIGNED = "assigned", pgettext_lazy("notification", "Assigned to you")
    REMINDER = "reminded", pgettext_lazy("notification", "Reminder")
    RESOLVED = "resolved", pgettext_lazy("notification", "Resolved")
    DIGEST = "digest", pgettext_lazy("notification", "Shift digest")
    AVAILABILITY = "availability", pgettext_lazy("notification", "Availability of a month")
    EVENTS = "events", pgettext_lazy("notification", "Events of the fleet")
    JOB = "reported", pgettext_lazy("notification", "Your job")
    ROLLOUT = "rollout", pgettext_lazy("notification", "Rollout")


ALARMS = (NotificationKind.OPENED, NotificationKind.WORSENED, NotificationKind.FLAPPING)
"""Unacknowledged problems: checked once more before the first attempt."""
REPORTS = (
    NotificationKind.DIGEST,
    NotificationKind.AVAILABILITY,
    NotificationKind.EVENTS,
    NotificationKind.JOB,
    NotificationKind.ROLLOUT,
)
"""Composed when they were decided, without items."""
PERSONAL = (NotificationKind.ASSIGNED, NotificationKind.REMINDER)
"""Kinds for one person, dropped if the subject is resolved by then."""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        """What could be sent now (index: delivery_due), unless another worker holds a lease of that destination."""
        return self.filter(state=DeliveryState.WAITING, due_at__lte=at, destination__enabled=True).filter(
            models.Q(destination__retry_at=None) | models.Q(destination__retry_at__lte=at)
        )

    def lease_expired(self, at: datetime) -> Self:
        """Being sent by a worker whose lease has expired (index: delivery_sending)."""
        return self.filter(state=DeliveryState.SENDING, leased_at__lt=at - LEASE)

    def still_grouping(self, at: datetime) -> Self:
        """Still within the group wait: more items may be added."""
        return self.filter(state=DeliveryState.WAITING, attempts=0, due_at__gt=at)


class ByItems(ScopePath):
    """A delivery is for people who see its destination and all that it is about.

    A digest, and one whose items were deleted, may be about anything that its destination is for.
    """

    def seen(self, scope: Scope) -> models.Q:
        destination, items = ByOwner("destination"), DeliveryItem.objects.filter(delivery=models.OuterRef("pk"))
        inside = ByTerminal("alert__terminal").seen(scope) | Through("incident", "alerts.Incident").seen(scope)
        about = models.Q(models.Exists(items)) & destination.seen(scope) | destination.covered(scope)
        return about & ~models.Q(models.Exists(items.exclude(pk__in=DeliveryItem.objects.filter(inside))))


class Delivery(models.Model):
    """One message for one destination, from the decision to send it until it was sent, failed or was withdrawn."""

    key = models.CharField(max_length=100, unique=True)
    """Names the decision, so that it cannot be made twice."""
    uid = models.UUIDField(default=uuid4, unique=True)
    """The id of the message, the same for each attempt; unlike `key` it differs after a database was restored."""
    destination = models.ForeignKey(Destination, models.CASCADE, related_name="deliveries")
    policy = models.ForeignKey(Policy, models.SET_NULL, null=True, related_name="deliveries")
    step = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=16, choices=NotificationKind)
    site_code = models.CharField(max_length=8, blank=True, default="")
    """The site, if each site has its own message."""
    is_of_incidents = models.BooleanField(default=False, db_default=False)
    """All its items are incidents, or all are alerts."""
    language = models.CharField(max_length=8)
    alerts: models.ManyToManyField[Alert, DeliveryItem] = models.ManyToManyField(
        Alert, through="DeliveryItem", related_name="deliveries"
    )
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True)
    """When the first of its transitions happened; null if it was delayed by anything but the group wait."""
    attempts = models.PositiveIntegerField(default=0)
    lease_id = models.UUIDField(null=True)
    leased_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    possible_duplicate = models.BooleanField(default=False)
    detail = LinesField(max_length=500, blank=True, default="")
    """The response to the last attempt."""
    reference = models.CharField(max_length=MAX_REFERENCE, blank=True, default="", db_default="")
    """The name by which the service knows the message, for replies to it."""
    content: models.JSONField[Mapping[str, object], Mapping[str, object]] = models.JSONField(default=dict)
    """Composed at the first attempt, and the same for each."""
    link_used_at = models.DateTimeField(null=True)
    """When its recipient acknowledged by the link in the message, which works once."""

    objects = DeliveryQuerySet.as_manager()
    scope_path = ByItems()

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("due_at",), name="delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=("leased_at",), name="delivery_sending", condition=models.Q(state="sending")),
            models.Index(fields=("-id",), name="delivery_dead", condition=models.Q(state="dead")),
        )

    def __str__(self) -> str:
        return self.key

    def get_absolute_url(self) -> str:
        return reverse("delivery", args=(self.pk,))


class DeliveryItem(AboutOne, models.Model):
    """An alert or an incident within a delivery."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="items")
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="delivery_items")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="delivery_items")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("delivery", "alert"), name="deliveryitem_once"),
            models.UniqueConstraint(fields=("delivery", "incident"), name="deliveryitem_incident_once"),
            about_one("deliveryitem_about_one"),
        )

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.alert_id or self.incident_id}"

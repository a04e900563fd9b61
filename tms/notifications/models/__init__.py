"""Index of the models, for Django."""

from tms.notifications.models.delivery import Delivery, DeliveryItem, DeliveryState, NotificationKind
from tms.notifications.models.destination import Destination, EventFamily
from tms.notifications.models.device import DevicePreferences, PushDevice, PushKey
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.event_cursor import EventCursor
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.models.report_plan import ReportPlan
from tms.notifications.models.rotation import Cover, Member, Rotation

__all__ = [
    "Cover",
    "Delivery",
    "DeliveryItem",
    "DeliveryState",
    "Destination",
    "DevicePreferences",
    "DigestPlan",
    "Escalation",
    "EventCursor",
    "EventFamily",
    "Member",
    "NotificationKind",
    "Policy",
    "PushDevice",
    "PushKey",
    "ReportPlan",
    "Rotation",
    "Step",
]

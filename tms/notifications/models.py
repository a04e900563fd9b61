"""Here Django looks for models."""

from tms.notifications.delivery import Delivery, DeliveryState, News, Told
from tms.notifications.destination import Destination, DestinationKind
from tms.notifications.digest_plan import DigestPlan
from tms.notifications.policy import Policy, Step, Telling
from tms.notifications.rotation import Cover, Member, Rotation

__all__ = [
    "Cover",
    "Delivery",
    "DeliveryState",
    "Destination",
    "DestinationKind",
    "DigestPlan",
    "Member",
    "News",
    "Policy",
    "Rotation",
    "Step",
    "Telling",
    "Told",
]

"""Here Django looks for models."""

from tms.notifications.models.delivery import Delivery, DeliveryState, News, Told
from tms.notifications.models.destination import Destination, DestinationKind
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.policy import Policy, Step, Telling
from tms.notifications.models.rotation import Cover, Member, Rotation

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

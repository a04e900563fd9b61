"""Here Django looks for models."""

from tms.notifications.delivery import Delivery, DeliveryState, News, Told
from tms.notifications.destination import Destination, DestinationKind
from tms.notifications.digest_plan import DigestPlan
from tms.notifications.policy import Policy, Step, Telling

__all__ = [
    "Delivery",
    "DeliveryState",
    "Destination",
    "DestinationKind",
    "DigestPlan",
    "News",
    "Policy",
    "Step",
    "Telling",
    "Told",
]

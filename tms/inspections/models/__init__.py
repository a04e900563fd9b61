"""Models of the inspections app."""

from tms.inspections.models.inspection import DeviceSeal, Inspection, InspectionResult, Surrounding
from tms.inspections.models.round import DUE_EVERY_DAYS, MemberLeft, Round, RoundMember

__all__ = [
    "DUE_EVERY_DAYS",
    "DeviceSeal",
    "Inspection",
    "InspectionResult",
    "MemberLeft",
    "Round",
    "RoundMember",
    "Surrounding",
]

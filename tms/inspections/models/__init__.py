"""Models of the inspections app."""

from tms.inspections.models.inspection import Inspection, InspectionResult, Seal, Surrounding
from tms.inspections.models.round import DUE_EVERY_DAYS, MemberLeft, Round, RoundMember

__all__ = [
    "DUE_EVERY_DAYS",
    "Inspection",
    "InspectionResult",
    "MemberLeft",
    "Round",
    "RoundMember",
    "Seal",
    "Surrounding",
]

"""The models of approvals. Django finds them here; other apps import them from here."""

from tms.approvals.models.approval_request import ApprovalRequest, ApprovalState

__all__ = ["ApprovalRequest", "ApprovalState"]

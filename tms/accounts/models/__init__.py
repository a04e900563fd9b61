"""The models of accounts. Django finds them here; other apps import them from here."""

from tms.accounts.models.api_token import ApiToken, TokenScope
from tms.accounts.models.audit_chain import AuditCheck, AuditDay
from tms.accounts.models.audit_entry import AuditEntry
from tms.accounts.models.grant import Grant
from tms.accounts.models.invitation import Invitation
from tms.accounts.models.owned import Owned, one_owner
from tms.accounts.models.role import Role
from tms.accounts.models.team import Team
from tms.accounts.models.user import Density, Theme, User
from tms.accounts.permissions import Action

__all__ = [
    "Action",
    "ApiToken",
    "AuditCheck",
    "AuditDay",
    "AuditEntry",
    "Density",
    "Grant",
    "Invitation",
    "Owned",
    "Role",
    "Team",
    "Theme",
    "TokenScope",
    "User",
    "one_owner",
]

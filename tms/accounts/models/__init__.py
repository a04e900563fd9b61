"""The models of accounts. Django finds them here; other apps import them from here."""

from tms.accounts.models.api_token import OF_PEOPLE, ApiToken, TokenScope
from tms.accounts.models.audit_chain import AuditCheck, AuditDay
from tms.accounts.models.audit_entry import AuditEntry
from tms.accounts.models.former_password import FormerPassword
from tms.accounts.models.grant import Grant
from tms.accounts.models.identity import Identity, ProviderSession, SpentToken
from tms.accounts.models.identity_provider import ClientAuth, FactorPolicy, GroupMapping, IdentityProvider, ProviderKind
from tms.accounts.models.invitation import Invitation
from tms.accounts.models.owned import Owned, one_owner
from tms.accounts.models.provisioned import ProvisionedPerson, ProvisionedTeam
from tms.accounts.models.role import Role
from tms.accounts.models.screens import ScreenPairing, WallBoard, WallScreen
from tms.accounts.models.team import Team
from tms.accounts.models.user import Density, Theme, User

__all__ = [
    "OF_PEOPLE",
    "ApiToken",
    "AuditCheck",
    "AuditDay",
    "AuditEntry",
    "ClientAuth",
    "Density",
    "FactorPolicy",
    "FormerPassword",
    "Grant",
    "GroupMapping",
    "Identity",
    "IdentityProvider",
    "Invitation",
    "Owned",
    "ProviderKind",
    "ProviderSession",
    "ProvisionedPerson",
    "ProvisionedTeam",
    "Role",
    "ScreenPairing",
    "SpentToken",
    "Team",
    "Theme",
    "TokenScope",
    "User",
    "WallBoard",
    "WallScreen",
    "one_owner",
]

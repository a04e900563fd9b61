"""The models of accounts. Django finds them here; other apps import them from here."""

from tms.accounts.models.api_token import ApiToken
from tms.accounts.models.audit_entry import AuditEntry
from tms.accounts.models.user import Theme, User
from tms.accounts.permissions import Action

__all__ = ["Action", "ApiToken", "AuditEntry", "Theme", "User"]

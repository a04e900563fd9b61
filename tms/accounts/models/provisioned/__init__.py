"""What the directory of a company manages, by SCIM."""

from tms.accounts.models.provisioned.person import ProvisionedPerson
from tms.accounts.models.provisioned.row import MAX_EXTERNAL_ID_CHARACTERS
from tms.accounts.models.provisioned.team import ProvisionedTeam

__all__ = ["MAX_EXTERNAL_ID_CHARACTERS", "ProvisionedPerson", "ProvisionedTeam"]

"""What the directory of a company manages, by SCIM."""

from tms.accounts.models.provisioned.person import ProvisionedPerson
from tms.accounts.models.provisioned.row import LONGEST_EXTERNAL_ID
from tms.accounts.models.provisioned.team import ProvisionedTeam

__all__ = ["LONGEST_EXTERNAL_ID", "ProvisionedPerson", "ProvisionedTeam"]

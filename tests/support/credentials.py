"""Whether a credential opens a link."""

from datetime import datetime

from tms.fleet.credentials import services
from tms.fleet.credentials.services import CredentialKey
from tms.lib.hashing import hash_token
from tms.protocol.credential import PlainCredential


def find_key(offered: PlainCredential, *, at: datetime) -> CredentialKey | None:
    digest = hash_token(offered.secret)
    return services.find([digest], at=at).get(digest)

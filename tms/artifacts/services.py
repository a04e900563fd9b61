"""Withdrawing artifacts, and the signing keys that uploads are checked against."""

from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.artifacts.manifest import public_key
from tms.artifacts.models import Artifact, SigningKey
from tms.commands import services as commands
from tms.commands.kinds import UPDATE
from tms.commands.models import Command, CommandState

artifact_withdrawn = Signal()
"""Sent in the transaction, with `artifact`, `by` and `at`. Rollouts of it end what they have planned."""


class KeyRefused(ValueError):
    """The text says what was expected, `where` of what."""

    def __init__(self, text: str, *, where: str) -> None:
        super().__init__(text)
        self.where = where


@transaction.atomic
def withdraw(artifact: Artifact, *, reason: str, by: User, at: datetime) -> bool:
    """Nothing new starts with it; what was not sent yet expires. Returns whether it changed."""
    rows = Artifact.objects.usable().filter(pk=artifact.pk)
    if not rows.update(withdrawn_at=at, withdrawn_by=by, withdrawn_reason=reason):
        return False
    artifact.refresh_from_db()
    queued = Command.objects.filter(name=UPDATE, state=CommandState.QUEUED, args__artifact=artifact.pk)
    commands.withdraw(list(queued.values_list("pk", flat=True)), reason="the artifact was withdrawn")
    recorder.record("withdrawn", artifact, comment=reason)
    artifact_withdrawn.send(sender=Artifact, artifact=artifact, by=by, at=at)
    return True


@transaction.atomic
def add_key(name: str, key: str, *, by: User, at: datetime) -> SigningKey:
    """Trust a public key. Raises KeyRefused and ManifestError."""
    public_key(key)
    made, is_new = SigningKey.objects.get_or_create(
        name=name, defaults={"public_key": key, "added_by": by, "added_at": at}
    )
    if not is_new:
        raise KeyRefused(f"a key is called {name} already; names are not used again", where="name")
    recorder.record("added", made, {"public_key": (None, key)})
    return made


@transaction.atomic
def remove_key(key: SigningKey, *, at: datetime) -> bool:
    """New uploads that only it has signed are refused. Returns whether it changed."""
    if not SigningKey.objects.trusted().filter(pk=key.pk).update(removed_at=at):
        return False
    recorder.record("removed", key)
    return True

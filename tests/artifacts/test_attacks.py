"""Attacks on software: who refuses each, and with which words. `pytest -rP` prints the table.

The terminal's part is the real agent: its checks, and its download of what the store has.
"""

import asyncio
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from tests.artifacts.uploader import Uploader
from tests.support import people
from tests.support.artifacts import (
    CONTENT,
    KEY_NAME,
    PRIVATE_KEY,
    STRANGER,
    make_artifact,
    make_key,
    make_manifest,
    sign,
)
from tests.support.builders import Fleet
from tests.support.factories import now
from tms.artifacts.downloads import address_of
from tms.artifacts.models import Artifact, SigningKey
from tms.fleet.credentials import services as credentials
from tms_agent.connection.network import Network
from tms_agent.log import Log
from tms_agent.protocol.frames import ManifestSignature
from tms_agent.requests import RequestRefused
from tms_agent.updating.download import Download, Place
from tms_agent.updating.manifest import Present, check, verified

pytestmark = [pytest.mark.both, pytest.mark.django_db]

type Refusal = tuple[str, str]
"""Who refused it, and what they said."""
GOOD = {"expires": datetime.now(UTC) + timedelta(days=30), "replaces_below": "4.8.3"}


class Attacked:
    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet, self._folder = fleet, folder
        make_key()
        person = people.person("hanako", of="Manager")
        self.uploader = Uploader(person, people.signed_in(person))

    def artifact(self, **manifest: object) -> Artifact:
        return make_artifact(**GOOD | manifest)

    def terminal_says(self, artifact: Artifact, *, installed: str = "4.8.2") -> Refusal:
        """What the agent of a KX-21 says to an update, whatever TMS thinks of it."""
        given = [ManifestSignature(one["key"], one["signature"]) for one in artifact.signatures]
        try:
            manifest = verified(artifact.manifest, given, {KEY_NAME: PRIVATE_KEY.public_key().public_bytes_raw()})
            check(manifest, Present("KX-21", installed), formats=["swu"], at=datetime.now(UTC))
            asyncio.run(self._fetch(artifact, manifest.size, manifest.sha256))
        except RequestRefused as refused:
            return "terminal", str(refused)
        raise AssertionError("the terminal would install it")

    async def _fetch(self, artifact: Artifact, size: int, sha256: str) -> None:
        """The end of a download that got all bytes of the store."""
        target = self._folder / "update.file"
        target.write_bytes((Path(storages["artifacts"].location) / str(artifact.file.name)).read_bytes())  # type: ignore[attr-defined]
        place = Place("ws://127.0.0.1:9/", "", Network(), lambda: 0.0)
        options = {"size": size, "sha256": sha256, "max_bytes_s": None, "on_progress": lambda percent: None}
        await Download(place, "/download/x", to=target, **options).run(Log("T-1"))  # type: ignore[arg-type]

    def tms_says(self, content: bytes = CONTENT, **manifest: object) -> Refusal:
        """What becomes of an upload."""
        return "TMS", "; ".join(self.uploader.upload(content, **GOOD | manifest).values())


def changed_in_the_store(it: Attacked) -> Refusal:
    artifact, storage = it.artifact(), storages["artifacts"]
    storage.delete(str(artifact.file.name))
    storage.save(str(artifact.file.name), ContentFile(CONTENT[::-1]))
    return it.terminal_says(artifact)


def database_rewritten(it: Attacked) -> Refusal:
    artifact = it.artifact()
    artifact.manifest = artifact.manifest.replace(artifact.sha256, "0" * 64)
    return it.terminal_says(artifact)


def server_and_its_keys_taken_over(it: Attacked) -> Refusal:
    # The attacker adds a signing key to TMS, under the name that terminals know, and signs with it.
    SigningKey.objects.all().delete()
    make_key(KEY_NAME, STRANGER)
    artifact = it.artifact(version="6.6.6")
    one = sign(artifact.manifest, KEY_NAME, STRANGER)
    artifact.signatures = [{"key": one.key, "signature": one.signature}]
    return it.terminal_says(artifact)


def old_manifest_replayed(it: Attacked) -> Refusal:
    return it.terminal_says(it.artifact(), installed="4.9.0")


def expired_manifest(it: Attacked) -> Refusal:
    return it.terminal_says(it.artifact(expires=datetime(2026, 1, 1, tzinfo=UTC)))


def expired_upload(it: Attacked) -> Refusal:
    return it.tms_says(expires=datetime(2026, 1, 1, tzinfo=UTC))


def signed_by_a_stranger(it: Attacked) -> Refusal:
    it.uploader.begin(len(CONTENT))
    it.uploader.append(0, CONTENT)
    manifest = make_manifest(**GOOD)
    it.uploader.describe(manifest, sign(manifest.text, KEY_NAME, STRANGER))
    return "TMS", "; ".join(it.uploader.failed().values())


def of_another_model(it: Attacked) -> Refusal:
    return it.terminal_says(it.artifact(models=("PX-300",)))


def address_of_another_terminal(it: Attacked) -> Refusal:
    owner, thief = it.fleet.terminal(uid="T-1"), it.fleet.terminal(uid="T-2")
    path = address_of(it.artifact(), owner, at=now(), until=now() + timedelta(hours=1))
    answer = Client().get(path, headers={"Authorization": f"Bearer {credentials.issue(thief)}"})
    return "TMS", f"{answer.status_code}: {answer.json()['detail']}"


def upload_of_10_gb(it: Attacked) -> Refusal:
    answer = it.uploader.begin(10**10)
    return "TMS", f"{answer.status_code}: {answer.json()['detail']}"


def zip_bomb(it: Attacked) -> Refusal:
    # TMS never unpacks it; its manifest says the hash of another file.
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 2**24)
    return it.tms_says(packed.getvalue(), sha256="0" * 64)


def lying_length(it: Attacked) -> Refusal:
    it.uploader.begin(10)
    answer = it.uploader.append(0, CONTENT)
    return "TMS", f"{answer.status_code}: {answer.json()['detail']}"


def length_of_another_file(it: Attacked) -> Refusal:
    return it.tms_says(size=5)


TABLE: list[tuple[Callable[[Attacked], Refusal], str, str]] = [
    (changed_in_the_store, "terminal", "the file has another SHA-256 than its manifest says"),
    (database_rewritten, "terminal", "signed by release-2026; this terminal trusts release-2026"),
    (server_and_its_keys_taken_over, "terminal", "signed by release-2026; this terminal trusts release-2026"),
    (old_manifest_replayed, "terminal", "it may replace versions before 4.8.3; this terminal has 4.9.0"),
    (expired_manifest, "terminal", "the manifest expired at 2026-01-01"),
    (expired_upload, "TMS", "The manifest expired on 2026-01-01. Sign the file again."),
    (signed_by_a_stranger, "TMS", "The signature of release-2026 is not valid. Sign the file again."),
    (of_another_model, "terminal", "it is for the model PX-300; this is KX-21"),
    (address_of_another_terminal, "TMS", "404: no such download of T-2"),
    (upload_of_10_gb, "TMS", "413: Upload-Length must be from 1 to 8000000000 bytes"),
    (zip_bomb, "TMS", "which its manifest does not say"),
    (lying_length, "TMS", "413: a body has 8388608 bytes, and the last one what remains of Upload-Length; expected 10"),
    (length_of_another_file, "TMS", "The file has 102,400 bytes; its manifest says 5."),
]


@pytest.mark.parametrize(("attack", "by", "said"), TABLE, ids=[attack.__name__ for attack, *_ in TABLE])
def test_an_attack_is_refused(attack, by, said, fleet, tmp_path):
    who, text = attack(Attacked(fleet, tmp_path))

    print(f"| {attack.__name__.replace('_', ' ')} | {who} | {text} |")
    assert who == by
    assert said in text

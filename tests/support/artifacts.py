"""Signed artifacts of tests."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from tests.support.builders import AT
from tests.support.release_key import KEY_NAME, PRIVATE_KEY
from tms.artifacts.manifest import Manifest, Signature
from tms.artifacts.models import Artifact, SigningKey

STRANGER_NAME = "stranger"
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
CONTENT = bytes(range(256)) * 400


def make_key(name: str = KEY_NAME, key: Ed25519PrivateKey = PRIVATE_KEY) -> SigningKey:
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return SigningKey.objects.get_or_create(name=name, defaults={"public_key": public, "added_at": AT})[0]


def make_manifest(
    content: bytes = CONTENT,
    *,
    name: str = "kiosk-firmware",
    version: str = "4.8.3",
    models: tuple[str, ...] = ("KX-21",),
    form: str = "swu",
    expires: datetime = AT + timedelta(days=365),
    **more: Any,
) -> Manifest:
    facts = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} | more
    return Manifest(name=name, version=version, format=form, models=models, expires=expires, **facts)


def sign(text: str, name: str = KEY_NAME, key: Ed25519PrivateKey = PRIVATE_KEY) -> Signature:
    return Signature(name, base64.b64encode(key.sign(text.encode())).decode())


def make_artifact(
    name: str = "kiosk-firmware", version: str = "4.8.3", *, content: bytes = CONTENT, **more: Any
) -> Artifact:
    """A stored one with a signed manifest. `more`: see `make_manifest`, and columns of the artifact."""
    columns = {key: more.pop(key) for key in ("notes", "uploaded_by", "uploaded_at", "withdrawn_at") if key in more}
    manifest = make_manifest(content, name=name, version=version, **more)
    make_key()
    one = sign(manifest.text)
    artifact = Artifact(
        name=name, version=version, format=manifest.format, for_models=list(manifest.models),
        replaces_from=manifest.replaces_from, replaces_below=manifest.replaces_below, size=len(content),
        sha256=manifest.sha256, sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        expires_at=manifest.expires, manifest=manifest.text,
        signatures=[{"key": one.key, "signature": one.signature}], **{"uploaded_at": AT} | columns,
    )  # fmt: skip
    artifact.file.name = storages["artifacts"].save(secrets.token_hex(16), ContentFile(content))
    artifact.save()
    return artifact

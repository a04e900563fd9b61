"""Manifests: the signed descriptions of artifacts. Pure.

`tms-sign` writes and signs them on a machine that TMS does not know. What is checked here is for the people who upload:
terminals check again with keys of their own, so that a server that was taken over cannot make them install anything.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from tms.lib.db.version_order import version_key

MAX_MANIFEST_BYTES = 8_000
MAX_FILE_BYTES = 8_000_000_000
MAX_DESCRIPTION_BYTES = 16_000
"""A manifest with its signatures."""
KEY_BYTES = 32

type Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")]
type OptionalWord = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._+-]{0,63})?\Z")]
type ModelName = Annotated[str, Meta(min_length=1, max_length=64)]
type Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]

PublicKeys = Mapping[str, bytes]
"""Ed25519 public keys of 32 bytes, by their names."""


class ManifestError(ValueError):
    """The text says what was expected."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Word
    version: Word
    format: Word
    models: Annotated[tuple[ModelName, ...], Meta(min_length=1, max_length=16)]
    size: Annotated[int, Meta(ge=1, le=MAX_FILE_BYTES)]
    sha256: Digest
    expires: Annotated[datetime, Meta(tz=True)]
    replaces_from: OptionalWord = ""
    """It may be installed over this version and later ones; empty for no limit."""
    replaces_below: OptionalWord = ""
    """It may be installed over versions before this one; empty for no limit."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Only the canonical text, so that no two readers understand different things. Raises ManifestError."""
        if len(text.encode()) > MAX_MANIFEST_BYTES:
            raise ManifestError(f"the manifest is larger than {MAX_MANIFEST_BYTES} bytes")
        try:
            found = msgspec.json.decode(text, type=cls)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise ManifestError(f"the manifest cannot be read: {error}") from None
        if not all(model.isprintable() for model in found.models):
            raise ManifestError("the manifest names a model with control characters")
        if found.text != text:
            raise ManifestError("the manifest is not in its canonical form: use the one that tms-sign wrote")
        return found

    @property
    def text(self) -> str:
        """What is signed: JSON in ASCII, its members in the order of their names, without spaces."""
        members = {name: value for name, value in msgspec.structs.asdict(self).items() if value != ""}
        members["expires"] = f"{self.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return json.dumps(members, sort_keys=True, separators=(",", ":"))


class Signature(Struct, frozen=True):
    key: Annotated[str, Meta(min_length=1, max_length=64)]
    signature: Annotated[str, Meta(max_length=128)]
    """Ed25519, in Base64."""


class SignedManifest(Struct, frozen=True):
    """The file that `tms-sign` writes beside an artifact."""

    manifest: str
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=8)] = ()

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Raises ManifestError."""
        if len(data) > MAX_DESCRIPTION_BYTES:
            raise ManifestError(f"the file with the manifest is larger than {MAX_DESCRIPTION_BYTES} bytes")
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise ManifestError(f"this is no file that tms-sign wrote: {error}") from None


def signers(text: str, signatures: Sequence[Signature], keys: PublicKeys) -> list[str]:
    """The known keys that signed exactly this text."""
    return [one.key for one in signatures if one.key in keys and _is_signed(text, one, keys[one.key])]


def public_key(text: str) -> bytes:
    """Raises ManifestError."""
    try:
        key = base64.b64decode(text, validate=True)
        Ed25519PublicKey.from_public_bytes(key)
    except (binascii.Error, ValueError):
        raise ManifestError(f"a public key is Ed25519: {KEY_BYTES} bytes in Base64, as tms-sign prints it") from None
    return key


def misfit(installed: str, *, replaces_from: str, replaces_below: str) -> Literal["", "unknown", "too_old", "too_new"]:
    """Why an artifact may not replace the installed version; empty if it may."""
    if not (replaces_from or replaces_below):
        return ""
    if not installed:
        return "unknown"
    key = version_key(installed)
    if replaces_from and key < version_key(replaces_from):
        return "too_old"
    return "too_new" if replaces_below and key >= version_key(replaces_below) else ""


def _is_signed(text: str, given: Signature, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(given.signature, validate=True), text.encode())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True

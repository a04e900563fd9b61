"""The signed description of an update.

Ed25519 over the exact text that TMS sends: who owns the server or its database still cannot make a terminal install
anything, for the private key is on neither.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tms_agent.protocol import json_text
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.frames import ManifestSignature
from tms_agent.protocol.reader import Reader
from tms_agent.requests import RequestRefused
from tms_agent.updating.version_order import version_key

MAX_MANIFEST_BYTES = 8_000
MAX_BYTES = 16 * 1024**3
MAX_MODELS = 16
SHA256 = re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
"""Versions name folders, so they have no slash and begin with no dot."""


@dataclass(frozen=True)
class Present:
    """What this terminal is, and which version of a product it has."""

    model: str
    installed: str
    """Empty if it does not know."""


PublicKeys = Mapping[str, bytes]
"""Ed25519 public keys of 32 bytes, by their names."""


@dataclass(frozen=True)
class Manifest:
    name: str
    models: Sequence[str]
    version: str
    format: str
    size: int
    sha256: str
    expires: datetime
    replaces_from: str = ""
    """It may be installed over this version and later ones; empty for no limit."""
    replaces_below: str = ""
    """It may be installed over versions before this one; empty for no limit."""

    @classmethod
    def read(cls, text: str) -> "Manifest":
        """Raises RequestRefused."""
        try:
            given = Reader(json_text.decode(text.encode()))
            found = cls(
                given.name("name"),
                given.strings("models"),
                given.name("version"),
                given.name("format"),
                given.integer("size"),
                given.string("sha256"),
                given.instant("expires"),
                given.string("replaces_from", ""),
                given.string("replaces_below", ""),
            )
        except (ValueError, FrameError) as error:
            where = f" at {error.where}" if isinstance(error, FrameError) else ""
            raise RequestRefused(f"the manifest cannot be read: {error}{where}") from None
        if not 1 <= len(found.models) <= MAX_MODELS:
            raise RequestRefused(f"the manifest must name 1 to {MAX_MODELS} models")
        if not VERSION.fullmatch(found.version):
            raise RequestRefused("the manifest has a version with other characters than letters, digits and ._+-")
        if not (1 <= found.size <= MAX_BYTES and SHA256.fullmatch(found.sha256)):
            raise RequestRefused("the manifest has an impossible size or SHA-256")
        return found


def verified(text: str, signatures: Sequence[ManifestSignature], keys: PublicKeys) -> Manifest:
    """The manifest, if a known key has signed it. Raises RequestRefused."""
    if len(text.encode()) > MAX_MANIFEST_BYTES:
        raise RequestRefused(f"the manifest is larger than {MAX_MANIFEST_BYTES} bytes")
    if not any(_is_signed(text, one, keys) for one in signatures[:8]):
        named = ", ".join(one.key for one in signatures[:8]) or "nobody"
        raise RequestRefused(f"signed by {named}; this terminal trusts {', '.join(sorted(keys)) or 'no key'}")
    return Manifest.read(text)


def check(manifest: Manifest, present: Present, *, formats: Sequence[str], at: datetime) -> None:
    """Whether this terminal may install it now. Raises RequestRefused."""
    if present.model not in manifest.models:
        models = ", ".join(manifest.models)
        raise RequestRefused(f"it is for the model {models}; this is {present.model or 'of no known model'}")
    if manifest.format not in formats:
        raise RequestRefused(f"format {manifest.format}; this terminal installs {', '.join(formats) or 'none'}")
    if manifest.expires <= at:
        raise RequestRefused(f"the manifest expired at {manifest.expires:%Y-%m-%d %H:%M} UTC")
    _check_present(manifest, present.installed)


def _check_present(manifest: Manifest, installed: str) -> None:
    """Whether it may replace what is installed. It also limits what an old manifest can do that is sent again."""
    lowest, end = manifest.replaces_from, manifest.replaces_below
    if not (lowest or end):
        return
    if not installed:
        raise RequestRefused("it may not replace every version, and this terminal does not know which one it has")
    if lowest and version_key(installed) < version_key(lowest):
        raise RequestRefused(f"it may replace {lowest} and later versions; this terminal has {installed}")
    if end and version_key(installed) >= version_key(end):
        raise RequestRefused(f"it may replace versions before {end}; this terminal has {installed}")


def has_signatures() -> bool:
    """Whether signatures can be checked: by the package `cryptography`, of the extra `update`."""
    return _public_key_type() is not None


def _public_key_type() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    return Ed25519PublicKey


def _is_signed(text: str, given: ManifestSignature, keys: PublicKeys) -> bool:
    key, kind = keys.get(given.key), _public_key_type()
    if key is None or kind is None:
        return False
    from cryptography.exceptions import InvalidSignature

    try:
        kind.from_public_bytes(key).verify(base64.b64decode(given.signature, validate=True), text.encode())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True

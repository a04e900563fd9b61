"""Signs artifacts, on a machine that TMS does not know: `tms-sign keygen`, `sign`, `verify` (docs/signing.md).

It needs `cryptography` and nothing else of this package but the format of the manifest.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tms_agent.protocol.frames import ManifestSignature
from tms_agent.protocol.instants import format_instant, parse
from tms_agent.requests import RequestRefused
from tms_agent.updating.manifest import MAX_MANIFEST_BYTES, VERSION, Manifest, verified

CHUNK = 1024 * 1024
MANIFEST = ".manifest.json"
MAX_SIGNATURES = 8


class SigningError(Exception):
    """The text says what is wrong."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        given.work(given)
    except (SigningError, RequestRefused, OSError) as error:
        print(f"tms-sign: {error}", file=sys.stderr)
        return 1
    except ImportError:
        print("tms-sign: the package cryptography is missing; pip install 'tms-agent[update]'", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tms-sign", description="Signs artifacts for TMS.")
    commands = parser.add_subparsers(required=True)
    keygen = commands.add_parser("keygen", help="make a key: NAME.key, which is secret, and NAME.pub")
    keygen.add_argument("name")
    keygen.set_defaults(work=_keygen)
    sign = commands.add_parser("sign", help="write FILE.manifest.json")
    sign.add_argument("file", type=Path)
    for name in ("name", "version", "format", "expires"):
        sign.add_argument(f"--{name}", required=True, help="YYYY-MM-DD" if name == "expires" else None)
    sign.add_argument("--model", required=True, action="append", dest="models", help="may be repeated")
    sign.add_argument("--replaces-from", default="", help="it may replace this version and later ones")
    sign.add_argument("--replaces-below", default="", help="it may replace versions before this one")
    sign.add_argument("--key", required=True, action="append", dest="keys", type=Path, help="NAME.key; may be repeated")
    sign.set_defaults(work=_sign)
    verify = commands.add_parser("verify", help="check FILE against FILE.manifest.json")
    verify.add_argument("file", type=Path)
    verify.add_argument("--key", required=True, action="append", dest="keys", type=Path, help="NAME.pub")
    verify.set_defaults(work=_verify)
    return parser


def _keygen(given: argparse.Namespace) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not VERSION.fullmatch(given.name):
        raise SigningError("a name of a key has letters, digits and ._+-")
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    _write_new(Path(f"{given.name}.key"), base64.b64encode(key.private_bytes_raw()).decode(), mode=0o600)
    _write_new(Path(f"{given.name}.pub"), public, mode=0o644)
    print(f"{given.name} = {public}")


def _sign(given: argparse.Namespace) -> None:
    size, sha256 = _measure(given.file)
    facts: dict[str, Any] = {
        "name": given.name,
        "version": given.version,
        "format": given.format,
        "models": given.models,
        "size": size,
        "sha256": sha256,
        "expires": format_instant(_day(given.expires)),
        "replaces_from": given.replaces_from,
        "replaces_below": given.replaces_below,
    }
    _check_words(facts)
    text = json.dumps(
        {name: value for name, value in facts.items() if value != ""}, sort_keys=True, separators=(",", ":")
    )
    Manifest.read(text)
    if len(text) > MAX_MANIFEST_BYTES or len(given.keys) > MAX_SIGNATURES:
        raise SigningError(f"a manifest has at most {MAX_MANIFEST_BYTES} bytes and {MAX_SIGNATURES} signatures")
    signatures = [{"key": path.stem, "signature": _signature(path, text)} for path in given.keys]
    target = Path(f"{given.file}{MANIFEST}")
    target.write_text(json.dumps({"manifest": text, "signatures": signatures}, indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {given.name} {given.version}, {size} bytes, {sha256}")


def _verify(given: argparse.Namespace) -> None:
    found = json.loads(Path(f"{given.file}{MANIFEST}").read_text(encoding="utf-8"))
    keys = {path.stem: _read_key(path) for path in given.keys}
    signatures = [ManifestSignature(one["key"], one["signature"]) for one in found["signatures"]]
    manifest = verified(found["manifest"], signatures, keys)
    if (manifest.size, manifest.sha256) != _measure(given.file):
        raise SigningError("the file is not the one that was signed: it has another size or SHA-256")
    if manifest.expires <= datetime.now(timezone.utc):
        raise SigningError(f"the manifest expired at {manifest.expires:%Y-%m-%d}")
    print(f"{manifest.name} {manifest.version} for {', '.join(manifest.models)}, until {manifest.expires:%Y-%m-%d}")


def _check_words(facts: dict[str, Any]) -> None:
    for name in ("name", "version", "format", "replaces_from", "replaces_below"):
        if facts[name] and not VERSION.fullmatch(facts[name]):
            raise SigningError(f"--{name.replace('_', '-')}: use at most 64 letters, digits and ._+-")
    if not all(1 <= len(model) <= 64 and model.isprintable() for model in facts["models"]):
        raise SigningError("--model: use 1 to 64 characters")


def _day(text: str) -> datetime:
    try:
        return parse(f"{text}T00:00:00Z")
    except ValueError:
        raise SigningError("--expires: write the day as 2027-06-01") from None


def _measure(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()


def _signature(path: Path, text: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(_read_key(path))
    return base64.b64encode(key.sign(text.encode())).decode()


def _read_key(path: Path) -> bytes:
    try:
        key = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SigningError(f"{path}: no key that tms-sign keygen wrote")
    return key


def _write_new(path: Path, text: str, *, mode: int) -> None:
    """A key is never overwritten: it could not be made again."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())

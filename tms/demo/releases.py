"""Software and configuration of the demo: a signing key, artifacts that devices can install, keys with values."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.base import ContentFile

from tms.accounts.models import User
from tms.artifacts.manifest import Manifest
from tms.artifacts.models import Artifact, SigningKey
from tms.configuration import versions
from tms.configuration.models import ConfigurationKey, Layer
from tms.configuration.places import Place
from tms.configuration.versions import ValueEdit
from tms.demo.behaviour import Behaviour

KEY = "demo-release"
VALID_FOR = timedelta(days=365)
LEAKING = "4.9.0"
LEAKS_PCT_PER_HOUR = 1_200.0
"""A kiosk with it crashes after two minutes: a visitor watches it, and has no hours to wait."""


class Release(NamedTuple):
    name: str
    version: str
    models: tuple[str, ...]
    days_ago: int
    notes: str = ""
    format: str = "swu"
    replaces_from: str = ""
    behaviour: Behaviour = Behaviour()


KIOSKS, PAYMENT = ("KX-20", "KX-21"), ("PX-300", "PX-310")
RELEASES = (
    Release("kiosk-firmware", "4.8.1", KIOSKS, 90, replaces_from="4.6.0"),
    Release("kiosk-firmware", "4.8.2", KIOSKS, 9, "Fixes the paper sensor after a cold start.", replaces_from="4.6.0"),
    Release("kiosk-firmware", "4.8.3", KIOSKS, 2, "New driver of the card reader.", replaces_from="4.7.0"),
    Release(
        "kiosk-firmware",
        LEAKING,
        KIOSKS,
        1,
        "A faster start screen.",
        replaces_from="4.7.0",
        behaviour=Behaviour(leaks_pct_per_hour=LEAKS_PCT_PER_HOUR),
    ),
    Release("payment-app", "2.13.4", PAYMENT, 60, format="apk"),
    Release("payment-app", "2.14.1", PAYMENT, 20, "Contactless limit 15,000 yen.", "apk", "2.12.0"),
)


LANGUAGES = ["ja", "en", "zh", "ko"]


class DemoKey(NamedTuple):
    name: str
    meaning: str
    schema: Mapping[str, Any]
    value: Any
    """The value of the whole fleet."""
    needs_restart: bool = False


KEYS = (
    DemoKey("display.brightness", "percent", {"type": "integer", "minimum": 10, "maximum": 100}, 80),
    DemoKey("display.idle_s", "until the start screen", {"type": "integer", "minimum": 10, "maximum": 600}, 45),
    DemoKey("display.language", "first is default", {"type": "array", "items": {"enum": LANGUAGES}}, ["ja", "en"]),
    DemoKey("display.theme", "an installed theme", {"enum": ["standard", "winter-2026", "summer-2019"]}, "standard"),
    DemoKey("printer.density", "1 to 8", {"type": "integer", "minimum": 1, "maximum": 8}, 4),
    DemoKey("printer.paper_mm", "width of the roll", {"enum": [58, 80]}, 80, needs_restart=True),
    DemoKey("receipt.footer", "below the total", {"type": "string", "maxLength": 80}, "{{ site.name }}"),
)  # fmt: skip
OWN_VALUES = (
    ("display.brightness", "SPR", 60),
    ("display.language", "HND", LANGUAGES),
)
"""Key, site and the value there."""


def seed_releases(person: User, sites: Mapping[str, int], *, folder: Path, at: datetime) -> dict[str, str]:
    """Once, in a new demo. `sites`: primary keys by code. Returns the public key that devices trust, by its name.

    The private key is kept in `folder`, so that a visitor can sign software of their own with `tms-sign`: simulated
    devices alone trust it.
    """
    if SigningKey.objects.exists():
        return {}
    private = Ed25519PrivateKey.generate()
    _keep(private, folder / f"{KEY}.key")
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    SigningKey.objects.create(name=KEY, public_key=public, added_by=person, added_at=at - timedelta(days=100))
    for release in RELEASES:
        _add(release, private, person, at=at)
    _seed_configuration(person, sites, at=at - timedelta(days=12))
    return {KEY: public}


def _keep(key: Ed25519PrivateKey, path: Path) -> None:
    """The file is like that of `tms-sign keygen`."""
    path.touch(mode=0o600)
    path.write_text(base64.b64encode(key.private_bytes_raw()).decode() + "\n")


def _add(release: Release, key: Ed25519PrivateKey, person: User, *, at: datetime) -> None:
    content = json.dumps(msgspec.to_builtins(release.behaviour)).encode()
    manifest = Manifest(
        name=release.name,
        version=release.version,
        format=release.format,
        models=release.models,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        expires=at + VALID_FOR,
        replaces_from=release.replaces_from,
    )
    signature = base64.b64encode(key.sign(manifest.text.encode())).decode()
    artifact = Artifact(
        name=release.name,
        version=release.version,
        format=release.format,
        for_models=list(release.models),
        replaces_from=release.replaces_from,
        size=manifest.size,
        sha256=manifest.sha256,
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        expires_at=manifest.expires,
        manifest=manifest.text,
        signatures=[{"key": KEY, "signature": signature}],
        notes=release.notes,
        uploaded_by=person,
        uploaded_at=at - timedelta(days=release.days_ago),
    )
    artifact.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    artifact.save()


def _seed_configuration(person: User, sites: Mapping[str, int], *, at: datetime) -> None:
    keys = {
        key.name: ConfigurationKey.objects.create(
            name=key.name, meaning=key.meaning, schema=dict(key.schema), needs_restart=key.needs_restart
        )
        for key in KEYS
    }
    edits = [ValueEdit(keys[key.name], Place(Layer.FLEET), key.value) for key in KEYS]
    edits += [
        ValueEdit(keys[name], Place(Layer.SITE, sites[code]), value)
        for name, code, value in OWN_VALUES
        if code in sites
    ]
    draft = versions.edit(edits, by=person, at=at)
    draft.title, draft.reason = "First values", "As the kiosks were delivered"
    draft.save(update_fields=("title", "reason"))
    versions.fix(draft, by=person, at=at)

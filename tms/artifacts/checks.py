"""The three checks of an upload: its hash, its signature, and whether terminals can use it."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tms.artifacts.manifest import Manifest, PublicKeys, Signature, public_key, signers
from tms.artifacts.models import Artifact, ArtifactUpload, SigningKey


class UploadCheck(NamedTuple):
    name: str
    label: str
    is_passed: bool
    text: str
    is_failed: bool = False
    """Otherwise it waits."""


def checks_of(upload: ArtifactUpload, *, at: datetime) -> list[UploadCheck]:
    manifest = Manifest.read(upload.manifest) if upload.manifest else None
    return [
        UploadCheck("hash", _("Hash"), *_hash(upload, manifest)),
        UploadCheck("signature", _("Signature"), *_signature(upload, manifest, at)),
        UploadCheck("model", _("Model"), *_model(manifest)),
    ]


type Result = tuple[bool, str] | tuple[bool, str, bool]


def trusted_keys() -> PublicKeys:
    return {key.name: public_key(key.public_key) for key in SigningKey.objects.trusted()}


def _no_manifest() -> Result:
    return False, _("Choose the file that tms-sign wrote, too: its name ends in .manifest.json.")


def _hash(upload: ArtifactUpload, manifest: Manifest | None) -> Result:
    if manifest and manifest.size != upload.length:
        sizes = {"size": f"{upload.length:,}", "announced": f"{manifest.size:,}"}
        return False, _("The file has %(size)s bytes; its manifest says %(announced)s.") % sizes, True
    if not upload.sha256:
        return False, pgettext("hash of an upload", "Waits for the whole file")
    if manifest is None:
        return _no_manifest()
    short = f"{upload.sha256[:4]}…{upload.sha256[-4:]}"
    if manifest.sha256 != upload.sha256:
        return False, _("The file has the hash %(hash)s, which its manifest does not say.") % {"hash": short}, True
    return True, _("%(hash)s, as its manifest says") % {"hash": short}


def _signature(upload: ArtifactUpload, manifest: Manifest | None, at: datetime) -> Result:
    if manifest is None:
        return _no_manifest()
    signatures = [Signature(**one) for one in upload.signatures]
    trusted = trusted_keys()
    found = signers(upload.manifest, signatures, trusted)
    if not found:
        named = ", ".join(one.key for one in signatures)
        if not named:
            return False, _("Not signed. Sign it with tms-sign, and upload the new manifest."), True
        if any(one.key in trusted for one in signatures):
            return False, _("The signature of %(keys)s is not valid. Sign the file again.") % {"keys": named}, True
        text = _("Signed by %(keys)s, which is no signing key of TMS. Sign it with a release key, or add the key.")
        return False, text % {"keys": named}, True
    day = {"keys": ", ".join(found), "day": f"{manifest.expires:%Y-%m-%d}"}
    if manifest.expires <= at:
        return False, _("The manifest expired on %(day)s. Sign the file again.") % day, True
    return True, _("%(keys)s, manifest valid until %(day)s") % day


def _model(manifest: Manifest | None) -> Result:
    if manifest is None:
        return _no_manifest()
    values = {"models": ", ".join(manifest.models), "version": manifest.version, "name": manifest.name}
    same = Artifact.objects.filter(name=manifest.name, version=manifest.version, format=manifest.format)
    if same.exists():
        return False, _("%(name)s %(version)s exists already, and never changes. Sign another version.") % values, True
    return True, _("%(models)s, version %(version)s is new") % values

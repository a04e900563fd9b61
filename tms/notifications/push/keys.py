"""The key pairs by which push services recognise TMS: made when the first is needed, encrypted in the database."""

import base64
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import IntegrityError, transaction

from tms.accounts.audit import recorder
from tms.lib import encryption
from tms.notifications.models.device import PURPOSE, PushKey


def current(*, at: datetime) -> PushKey:
    """The key for new subscriptions. TMS makes the first by itself, which is no entry in the audit trail."""
    found = PushKey.objects.filter(is_current=True).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return _create(at)
    except IntegrityError:  # another process was first
        return PushKey.objects.get(is_current=True)


@transaction.atomic
def rotate(*, at: datetime) -> PushKey:
    """A new key for new subscriptions. Browsers that have an older one keep it."""
    PushKey.objects.filter(is_current=True).update(is_current=False)
    PushKey.objects.filter(is_current=False, devices=None).delete()
    key = _create(at)
    recorder.record("created", key)
    return key


def _create(at: datetime) -> PushKey:
    pair = generate_private_key(SECP256R1())
    secrets = encryption.encrypt({"private": _pem(pair)}, purpose=PURPOSE)
    return PushKey.objects.create(public_key=_public(pair), encrypted_secrets=secrets, created_at=at)


def _pem(pair: EllipticCurvePrivateKey) -> str:
    return pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(pair: EllipticCurvePrivateKey) -> str:
    point = pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

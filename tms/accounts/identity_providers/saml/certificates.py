"""The certificates with which a provider signs: trusted because an administrator entered them, not by their dates."""

import re

from cryptography import x509
from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc.metadata import MIN_RSA_BITS, is_strong

MAX_CERTIFICATES = 5
PEM = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
LINE = 64


def parse(text: str) -> list[x509.Certificate]:
    """Certificates in PEM, or one without its frame, as metadata has it. Raises ValueError with a text for people."""
    found = PEM.findall(text) or [_framed(text)]
    if len(found) > MAX_CERTIFICATES:
        raise ValueError(gettext("At most %d certificates.") % MAX_CERTIFICATES)
    try:
        read = [x509.load_pem_x509_certificate(pem.encode()) for pem in found]
    except ValueError:
        text = gettext("Not a certificate. Paste it from BEGIN CERTIFICATE to END CERTIFICATE.")
        raise ValueError(text) from None
    if not all(is_strong(one.public_key()) for one in read):
        raise ValueError(gettext("An RSA key must have at least %d bits.") % MIN_RSA_BITS)
    return read


def _framed(text: str) -> str:
    body = "".join(text.split())
    lines = [body[start : start + LINE] for start in range(0, len(body), LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

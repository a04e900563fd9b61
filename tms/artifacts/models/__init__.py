"""The models of artifacts. Django finds them here; other apps import them from here."""

from tms.artifacts.models.artifact import Artifact
from tms.artifacts.models.signing_key import SigningKey

__all__ = ["Artifact", "SigningKey"]

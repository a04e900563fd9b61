"""The models of artifacts. Django finds them here; other apps import them from here."""

from tms.artifacts.models.artifact import Artifact
from tms.artifacts.models.signing_key import SigningKey
from tms.artifacts.models.upload import ArtifactUpload

__all__ = ["Artifact", "ArtifactUpload", "SigningKey"]

"""REST schemas of artifacts and signing keys."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from tms.alerts.schemas import username
from tms.artifacts.models import Artifact, SigningKey
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import RequestSchema, ResponseSchema


class SignatureSchema(ResponseSchema):
    key: str = Field(description="The name of the key.")
    signature: str = Field(description="Ed25519, in Base64, over the exact text of `manifest`.")


class ArtifactSchema(ResponseSchema):
    id: int
    name: str
    version: str
    format: str
    models: list[str]
    replaces_from: str = Field(description="It may be installed over this version and later ones; empty for no limit.")
    replaces_below: str = Field(description="It may be installed over versions before this one; empty for no limit.")
    size: int
    sha256: str
    sha1: str
    expires_at: datetime = Field(description="Terminals do not install it from then on.")
    manifest: str
    signatures: list[SignatureSchema]
    notes: str
    runs_on: int = Field(description="How many of the terminals that you see report it.")
    uploaded_at: datetime
    uploaded_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str

    @classmethod
    def of(cls, artifact: Artifact, *, runs_on: int) -> Self:
        apart: dict[str, Any] = {
            "id": artifact.pk,
            "models": artifact.for_models,
            "runs_on": runs_on,
            "uploaded_by": username(artifact.uploaded_by),
            "withdrawn_by": username(artifact.withdrawn_by),
            "signatures": [SignatureSchema(**one) for one in artifact.signatures],
        }
        return cls(**apart, **{name: getattr(artifact, name) for name in cls.model_fields if name not in apart})


class ArtifactPageSchema(Page[ArtifactSchema]): ...


class ArtifactBody(RequestSchema):
    upload: str = Field(min_length=1, max_length=64, description="The last part of the address of the upload.")
    notes: str = Field("", max_length=2_000)


class WithdrawBody(RequestSchema):
    reason: str = Field(min_length=1, max_length=500)


class ArtifactKeySchema(ResponseSchema):
    id: int
    name: str
    public_key: str
    added_at: datetime
    removed_at: datetime | None

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        return cls(id=key.pk, **{name: getattr(key, name) for name in cls.model_fields if name != "id"})


class SigningKeyListSchema(ResponseSchema):
    items: list[ArtifactKeySchema]


class SigningKeyBody(RequestSchema):
    name: str = Field(min_length=1, max_length=64, examples=["release-2026"])
    public_key: str = Field(min_length=1, max_length=64, description="Ed25519, 32 bytes in Base64.")

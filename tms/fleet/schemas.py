"""REST schemas of sites, groups and terminals."""

from datetime import date, datetime
from typing import Any, Self

from pydantic import Field

from tms.fleet import models
from tms.rest_base.etags import version_of
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import ResponseSchema


class SiteSchema(ResponseSchema):
    code: str = Field(examples=["SJK"])
    name: str = Field(examples=["Shinjuku South"])
    name_ja: str
    region: str
    address: str = ""
    time_zone: str = Field(examples=["Asia/Tokyo"])
    closed_at: datetime | None = Field(None, description="When it was closed for good; null while it is in use.")

    @classmethod
    def of(cls, site: models.Site) -> Self:
        return cls(**{name: getattr(site, name) for name in cls.model_fields})

    @property
    def version(self) -> int:
        return version_of(*self.model_dump().values())


class SitePageSchema(Page[SiteSchema]): ...


class GroupSchema(ResponseSchema):
    id: int
    name: str = Field(examples=["Lobby"])
    query: str = Field(description="What selects its members; empty if people choose them.", examples=["kind:kiosk"])

    @classmethod
    def of(cls, group: models.Group) -> Self:
        return cls(id=group.pk, name=group.name, query=group.query)


class GroupPageSchema(Page[GroupSchema]): ...


class SiteReferenceSchema(ResponseSchema):
    code: str = Field(examples=["SJK"])
    name: str = Field(examples=["Shinjuku South"])

    @classmethod
    def of(cls, site: models.Site) -> Self:
        return cls(code=site.code, name=site.name)


class TerminalSchema(ResponseSchema):
    """`presence` is the link state known to TMS; `status` is what the terminal reports of itself."""

    uid: str = Field(examples=["SJK-KSK-03"])
    site: SiteReferenceSchema
    groups: list[str]
    tags: list[str] = Field(examples=[["lobby"]])
    attributes: dict[str, str | float | date] = Field(description="By name.", examples=[{"floor": 2}])
    parent: str | None = Field(description="UID of the terminal that it is connected via.")
    kind: models.TerminalKind
    label: str = Field(description="Location.")
    lifecycle: models.Lifecycle
    lifecycle_at: datetime | None = Field(description="When `lifecycle` changed last.")
    serial: str
    model: str
    firmware: str
    agent: str
    address: str | None
    created_at: datetime
    presence: models.Presence
    presence_at: datetime | None = Field(description="Start of the current presence.")
    cause: str = Field(description="Reason for the presence, if known.")
    back_at: datetime | None = Field(description="Announced time of return.")
    last_seen_at: datetime | None
    status: str = Field(description="`ok`, `degraded` or `fault`; empty until first reported.")
    status_at: datetime | None
    metrics: dict[str, Any] = Field(description="Latest value of each metric.")

    @classmethod
    def of(cls, terminal: models.Terminal) -> Self:
        values = {name: getattr(terminal, name) for name in OWN} | {
            name: getattr(terminal.state, name) for name in STATE
        }
        return cls(
            site=SiteReferenceSchema.of(terminal.site),
            groups=[group.name for group in terminal.groups.all()],
            tags=sorted(tag.name for tag in terminal.tags.all()),
            attributes={each.attribute.name: each.value for each in terminal.attributes.all()},
            parent=terminal.parent.uid if terminal.parent else None,
            **values,
        )

    @property
    def version(self) -> int:
        """The version of what people change; what the terminal reports changes all the time."""
        return version_of(self.uid, self.site.code, self.kind, self.label, self.parent, self.lifecycle)


class TerminalPageSchema(Page[TerminalSchema]): ...


OWN = (
    *("uid", "kind", "label", "lifecycle", "lifecycle_at", "serial", "model", "firmware", "agent", "address"),
    "created_at",
)
STATE = ("presence", "presence_at", "cause", "back_at", "last_seen_at", "status", "status_at", "metrics")

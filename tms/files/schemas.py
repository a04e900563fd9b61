"""REST schemas of files."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from tms.files.models import FileState, TerminalFile
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import ResponseSchema


class FileSchema(ResponseSchema):
    id: int
    terminal: str = Field(description="UID")
    command: int = Field(description="The id of the command.")
    number: int = Field(description="1 for the first file of the command.")
    state: FileState
    name: str = Field(description="As the terminal names it; a download has another name.")
    media_type: str
    length: int
    received: int = Field(description="Bytes that have arrived.")
    sha256: str
    begun_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, file: TerminalFile) -> Self:
        apart: dict[str, Any] = {
            "id": file.pk,
            "terminal": file.terminal.uid,
            "command": file.command_id,
            "received": file.offset,
        }
        return cls(**apart, **{name: getattr(file, name) for name in cls.model_fields if name not in apart})


class FilePageSchema(Page[FileSchema]): ...

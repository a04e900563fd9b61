"""REST operations for files of terminals."""

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.files.downloads import content_of
from tms.files.models import TerminalFile
from tms.files.schemas import FilePageSchema, FileSchema
from tms.lib.pagination import Column, Keyset
from tms.rest_base.found_rows import find
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id

router = ApiRouter("files")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))


class FileQuery(PageQuery):
    terminal: str = Field("", max_length=64, description="UID")
    command: Id | None = None


type Rows = QuerySet[TerminalFile]


def _with_names(rows: Rows) -> Rows:
    return rows.select_related("terminal", "command")


@router.get("/files", summary="List files of terminals", response=FilePageSchema)
def list_files(request: ApiRequest, response: HttpResponse, query: Query[FileQuery]) -> FilePageSchema:
    """Newest first, with those that still arrive."""
    asked = {"terminal__uid": query.terminal or None, "command": query.command}
    rows = _with_names(TerminalFile.objects.begun()).filter(
        **{name: value for name, value in asked.items() if value is not None}
    )
    found = paginate(request, response, visible(rows, to=request.person), query, order=NEWEST_FIRST)
    return FilePageSchema(items=[FileSchema.of(file) for file in found.rows], next=found.next)


@router.get("/files/{int:pk}", summary="Read a file of a terminal", response=FileSchema)
def read_file(request: ApiRequest, pk: int) -> FileSchema:
    """What is known of it; `/content` has its bytes."""
    return FileSchema.of(find(request, _with_names(TerminalFile.objects.begun()), pk=pk))


@router.get("/files/{int:pk}/content", summary="Download a file of a terminal", response=bytes)
def read_file_content(request: ApiRequest, pk: int) -> HttpResponseBase:
    """404 until it is complete. The download is in the audit trail."""
    return content_of(find(request, _with_names(TerminalFile.objects.begun()), pk=pk))

"""Files for tests of imports, and what they change."""

from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from tests.support.builders import AT
from tms.accounts.models import User
from tms.transfer import exporting, running
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Import
from tms.transfer.planning import check_file
from tms.transfer.rows import FileRow, RowFault


def checked(kind: str, text: str | bytes, *, by: User, at: datetime = AT) -> Import:
    data = text if isinstance(text, bytes) else text.encode()
    return check_file(KINDS[kind], name="fleet.csv", data=data, by=by, at=at)


def applied(kind: str, text: str, *, by: User, at: datetime = AT) -> Import:
    made = checked(kind, text, by=by, at=at)
    assert faults(made) == []
    running.start_applying(made, by=by, at=at)
    made.refresh_from_db()
    return made


def undone(made: Import, *, by: User, at: datetime = AT) -> Import:
    running.start_undoing(made, by=by, at=at)
    made.refresh_from_db()
    return made


def rows(made: Import) -> list[FileRow]:
    return [FileRow.unpacked(packed) for part in made.parts.all() for packed in part.rows]


def faults(made: Import) -> list[tuple[int, str, str, str]]:
    """FileRow, column, code and suggestion of each fault."""
    found: list[RowFault] = [fault for row in rows(made) for fault in row.faults]
    return [(fault.line, fault.column, fault.code, fault.suggestion) for fault in found]


def exported(kind: str, *, to: User) -> str:
    return "".join(exporting.pieces(KINDS[kind], to=to, at=AT))


SPACE = "http://schemas.openxmlformats.org"
SHEETS = f"{SPACE}/spreadsheetml/2006/main"
RELATIONS = f"{SPACE}/package/2006/relationships"
DOCUMENTS = f"{SPACE}/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{SPACE}/package/2006/content-types">'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/texts.xml" ContentType="{KIND}.sharedStrings+xml"/>'
    f'<Override PartName="/xl/s.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{DOCUMENTS}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{DOCUMENTS}"><sheets><sheet name="S" sheetId="1" '
    'r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
    f'Type="{DOCUMENTS}/worksheet" Target="s.xml"/></Relationships>',
    "xl/texts.xml": f'<sst xmlns="{SHEETS}"/>',
}


def sheet_xml(*rows: str, **parts: str) -> bytes:
    """A workbook with these rows of XML, and with other parts; a cell is `<c t="inlineStr"><is><t>uid</t></is></c>`."""
    page = BytesIO()
    sheet = f'<worksheet xmlns="{SHEETS}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
    with ZipFile(page, "w", ZIP_DEFLATED) as archive:
        for name, text in {**PARTS, "xl/s.xml": sheet, **parts}.items():
            archive.writestr(name, text)
    return page.getvalue()

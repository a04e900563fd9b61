"""Files as people upload them: encodings, delimiters, limits, and hostile ones."""

from datetime import date, time
from io import BytesIO

import pytest
from openpyxl import Workbook

from tests.transfer.files import SHEETS, sheet_xml
from tms.transfer.reading import files, xlsx_reader
from tms.transfer.reading.files import UnreadableFile, read_table

TEXT = "site,name,note\r\nSJK,駅務室,夜間\r\n"
STYLES = f'<styleSheet xmlns="{SHEETS}"><fonts>{"<font/>" * 200_000}</fonts></styleSheet>'
LONG = f'<sst xmlns="{SHEETS}"><si><t>{"x" * 60_000}</t></si></sst>'
DOCTYPE = '<!DOCTYPE workbook [<!ENTITY x "x">]><workbook/>'
ROW = '<row><c t="s"><v>0</v></c></row>'
ROWS = [["site", "name", "note"], ["SJK", "駅務室", "夜間"]]


def read(data: bytes) -> list[list[str]]:
    table = read_table(data)
    return [table.header, *(line.cells for line in table.lines)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="UTF-8 with a byte order mark"),
        pytest.param(TEXT.encode("cp932"), id="Shift_JIS as Excel in Japan writes it"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16, Excel's Unicode text"),
        pytest.param(TEXT.replace(",", ";").encode(), id="semicolons"),
        pytest.param(TEXT.replace(",", "\t").encode(), id="tabs"),
        pytest.param(TEXT.replace("\r\n", "\n").encode(), id="line feeds"),
        pytest.param(b"\r\n" + TEXT.encode() + b",,\r\n\r\n", id="blank rows"),
        pytest.param('site,"name",note\nSJK,"駅務室",夜間,,'.encode(), id="quotes and blank cells"),
    ],
)
def test_a_table_is_read_from_each_form_of_csv(data):
    assert read(data) == ROWS


def test_a_row_keeps_the_number_that_a_spreadsheet_shows():
    table = read_table(b'uid,note\n\nA-1,"two\nlines"\nA-2,x\n')

    assert [line.number for line in table.lines] == [3, 4]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"\n \n,,\n", "empty", id="only blanks"),
        pytest.param(b'uid\n"A-1', "bad-csv", id="an open quote"),
        pytest.param(b'uid\n"A"-1\n', "bad-csv", id="text after a quote"),
        pytest.param(b"uid\n\x81\xff\xfe", "unknown-encoding", id="neither encoding"),
        pytest.param(b"\xff\xfe\x00\xd8", "unknown-encoding", id="half a surrogate pair"),
        pytest.param(b"uid\n" + b"A" * 200_000, "bad-csv", id="a cell of 200 kB"),
        pytest.param(b"x" * (files.MAX_BYTES + 1), "too-large", id="more than 20 MB"),
        pytest.param(b"uid\n" + b"A\n" * (files.MAX_ROWS + 1), "too-many-rows", id="more than 60,000 rows"),
        pytest.param(b"uid\n" + b"\n" * (3 * files.MAX_ROWS), "too-many-rows", id="endless blank rows"),
        pytest.param(b"PK\x03\x04" + b"\0" * 100, "bad-xlsx", id="no workbook"),
        pytest.param(sheet_xml("<row><c>"), "bad-xlsx", id="damaged XML"),
        pytest.param(
            sheet_xml(
                '<row r="1"><c t="inlineStr"><is><t>uid</t></is></c></row><row r="1048576"><c><v>1</v></c></row>'
            ),
            "too-many-rows",
            id="a row at the end of the sheet",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(data, code):
    with pytest.raises(UnreadableFile) as bad:
        read(data)

    assert bad.value.code == code
    assert bad.value.text


def test_the_values_of_a_workbook_are_read_as_text():
    book = Workbook()
    sheet = book.active
    for row in (["site", "opens_at", "first_on", "weekday"], ["SJK", time(9, 30), date(2027, 1, 1), 3], [None, None]):
        sheet.append(row)

    assert read(saved(book)) == [["site", "opens_at", "first_on", "weekday"], ["SJK", "09:30", "2027-01-01", "3"]]


@pytest.mark.parametrize(
    ("parts", "rows", "code"),
    [
        pytest.param({"xl/styles.xml": STYLES}, "", "workbook-too-large", id="styles of more than a MiB"),
        pytest.param({"xl/workbook.xml": "<!-- " + " " * 2**20}, "", "workbook-too-large", id="a large list of sheets"),
        pytest.param({"xl/texts.xml": LONG}, ROW * 400, "workbook-too-large", id="one long text in very many cells"),
        pytest.param({"xl/workbook.xml": DOCTYPE}, "", "bad-xlsx", id="a document type"),
        pytest.param({"[Content_Types].xml": "<Types"}, "", "bad-xlsx", id="damaged types"),
        pytest.param({"xl/workbook.xml": ""}, "", "bad-xlsx", id="no list of sheets"),
    ],
)
def test_a_workbook_with_a_hostile_part_is_refused(parts, rows, code):
    with pytest.raises(UnreadableFile) as bad:
        read(sheet_xml(rows, **parts))

    assert bad.value.code == code


@pytest.mark.parametrize("offset", [pytest.param(8, id="encrypted"), pytest.param(10, id="an unknown compression")])
def test_a_workbook_with_a_part_that_cannot_be_unpacked_is_refused(offset):
    data = bytearray(sheet_xml(""))
    at = data.index(b"PK\x01\x02")  # the entry of the first part
    data[at + offset] = 99

    with pytest.raises(UnreadableFile, match="bad-xlsx"):
        read(bytes(data))


@pytest.mark.parametrize(("limit", "value"), [("WITHIN_S", 0.01), ("MAX_CPU_S", 1), ("MAX_MEMORY", 2**24)])
def test_the_process_that_reads_a_workbook_is_stopped(monkeypatch, limit, value):
    monkeypatch.setattr(xlsx_reader, limit, value)

    with pytest.raises(UnreadableFile, match="workbook-too-large"):
        read(sheet_xml("<row><c><v>1</v></c></row>" * 59_000 * 2))


def test_a_cell_far_to_the_right_takes_no_memory():
    [header] = read(sheet_xml('<row><c r="A1" t="inlineStr"><is><t>uid</t></is></c><c r="XFD1"><v>1</v></c></row>'))

    assert header == ["uid"]


def saved(book: Workbook) -> bytes:
    page = BytesIO()
    book.save(page)
    return page.getvalue()

"""Why a file or a row of it is refused, in words: what is wrong, and what would be right."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

REASONS = {
    # the file
    "too-large": _("The file is larger than %(most)s MB."),
    "too-many-rows": _("The file has more than %(most)s rows. Import it in parts."),
    "unknown-encoding": _("The text is neither UTF-8 nor Shift_JIS. Save the file as CSV in UTF-8."),
    "bad-csv": _("Row %(row)s is no valid CSV: %(detail)s."),
    "bad-xlsx": _("The workbook cannot be read. Save it as .xlsx again, or as CSV in UTF-8."),
    "workbook-too-large": _("The workbook takes too much time or memory. Save its first sheet as CSV in UTF-8."),
    "no-xlsx": _("Workbooks are not supported here. Save the sheet as CSV in UTF-8."),
    "empty": _("The file has no rows."),
    "unknown-column": _("Unknown column."),
    "unknown-attribute": _("No attribute of these rows has this name. Define it first."),
    "column-twice": _("The column is there twice."),
    "missing-column": _("The column is missing."),
    # a cell
    "cell-too-long": _("More than 64 KiB."),
    "unstorable": _("Contains characters that cannot be stored."),
    "too-many-cells": _("The row has more cells than the header has columns."),
    "required": _("A value is missing."),
    "too-long": _("At most %(most)s characters."),
    "not-a-choice": _("Not one of %(choices)s."),
    "bad-code": _("Letters, digits, - and _ only, at most 8 characters."),
    "bad-uid": _("Letters, digits, - and _ only, at most 64 characters; a letter or digit first."),
    "bad-time": _("Not a time. Write it as 09:30."),
    "bad-date": _("Not a date. Write it as 2026-12-31."),
    "bad-email": _("Not an e-mail address."),
    "bad-zone": _("Not a time zone. Write it as Asia/Tokyo."),
    "bad-calendar": _("Not a holiday calendar. Use a country or region: JP, DE-BY, US-NY."),
    "bad-tag": _('“%(tag)s” is no tag. A tag is one word of at most 40 characters, without ( ) " , : < > = *.'),
    "too-many-tags": _("At most %(most)s tags."),
    "not-a-number": _("Not a number."),
    "bad-list": _("Not a list. Separate names with semicolons."),
    # rows that refer to each other
    "twice": _("The same is in row %(line)s."),
    "unknown-site": _("No site has this code."),
    "unknown-region": _("No region has this name."),
    "unknown-terminal": _("No terminal has this UID."),
    "unknown-group": _("No group has this name. Import groups first."),
    "dynamic-group": _("A query selects the members of this group. Leave it out."),
    "taken": _("Another row that you don't see has it already."),
    "hidden": _("The present value is outside of your scope."),
    "forbidden": _("You don't have permission to change this row."),
    "forbidden-site": _("You don't have permission for this site."),
    "forbidden-region": _("You don't have permission for this region."),
    "forbidden-group": _("You don't have permission to change the members of this group."),
    "forbidden-labels": _("You don't have permission to change its tags and attributes."),
    "circle": _("The terminal would be connected via itself."),
    "site-closed": _("The site is closed."),
    "other-device": _("The terminal has the device %(serial)s. Replace it on the page of the terminal."),
    "device-placed": _("This device serves as %(uid)s."),
    "device-serves": _("The device serves as a terminal: its state and site follow from that."),
    "device-not-placed": _("A device is in service only while it serves as a terminal."),
    "bad-lifecycle": _("The terminal cannot change to this state. Possible: %(possible)s."),
    "retired-for-good": _("It was retired more than 30 days ago, or its site is closed. Enrol a new terminal instead."),
    "device-retired": _("A retired terminal has no device. Bring it back first."),
    "bad-hours": _("Enter a weekday with both times, or the first day of a special day."),
    "too-many-entries": _("At most %(most)s for a site."),
    # bulk edits
    "attribute-changed": _("The attribute was deleted, or cannot have this value any more."),
    # applying
    "outdated": _(
        "%(number)s rows changed after the check, or you may not change them any more. Check the file again."
    ),
    "changed-since": _("Somebody changed it after the preview."),
    "deleted-since": _("It was deleted after the preview."),
    "conflict": _("Somebody changed the same rows at the same time. Check the file again."),
    "gave-up": _("It failed three times. Nothing was changed."),
}


def reason(code: str, params: Mapping[str, Any]) -> str:
    """The text in the active language."""
    return str(REASONS[code]) % params if params else str(REASONS[code])


def with_suggestion(text: str, suggestion: str) -> str:
    if not suggestion:
        return text
    return f"{text} {gettext('Did you mean %(value)s?') % {'value': suggestion}}"

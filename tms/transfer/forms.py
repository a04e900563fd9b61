"""The form with which a person uploads a file."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import FormLine
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Absence
from tms.transfer.planning import Correction
from tms.transfer.reading.files import MAX_BYTES
from tms.transfer.reasons import reason
from tms.transfer.rows import MAX_SHOWN

MAX_INSTEAD = 1_000


class ApplyForm(forms.Form):
    absent_become = forms.TypedChoiceField(choices=Absence, coerce=Absence, required=False, empty_value=Absence.KEEP)


class CorrectionForm(forms.Form):
    """A refused value and the right one; nothing to take all corrections back."""

    line = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    column = FormLine(required=False, max_length=64)
    value = FormLine(required=False, max_length=MAX_SHOWN)
    instead = FormLine(required=False, max_length=MAX_INSTEAD)

    @property
    def correction(self) -> Correction | None:
        given = self.cleaned_data
        if not given["line"]:
            return None
        return Correction(given["line"], given["column"], given["value"], given["instead"])


class TableField(forms.FileField):
    """A table that a person uploads: CSV or a workbook, bounded in size. What is in it is not checked."""

    def clean(self, *args: Any, **options: Any) -> Any:
        file = super().clean(*args, **options)
        if file and file.size > MAX_BYTES:
            raise forms.ValidationError(reason("too-large", {"most": MAX_BYTES // 2**20}))
        return file


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=pgettext_lazy("import", "Rows"))
    file = TableField(label=_("File"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(kind.name, kind.label) for kind in KINDS.values()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

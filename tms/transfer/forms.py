"""The form with which a person uploads a file."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.transfer.kinds.registry import KINDS
from tms.transfer.reading.files import MAX_BYTES
from tms.transfer.reasons import reason


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=pgettext_lazy("import", "Rows"))
    file = forms.FileField(label=_("File"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(kind.name, kind.label) for kind in KINDS.values()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(reason("too-large", {"most": MAX_BYTES // 2**20}))
        return file

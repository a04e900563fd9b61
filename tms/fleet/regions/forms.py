"""The form of a region."""

from typing import Any

from tms.fleet.models import Region
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm


class RegionForm(Plain, ModelForm[Region]):
    class Meta:
        model = Region
        fields = ("name", "name_ja")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()

"""Base classes of forms: Django's own, which are generic to the type checker only."""

from typing import TYPE_CHECKING, Any

__all__ = ["BaseFormSet", "ModelForm"]

if TYPE_CHECKING:
    from django.forms import BaseFormSet, ModelForm
else:
    from django import forms

    class Subscriptable:
        """`ModelForm[Site]` must work at run time too."""

        def __class_getitem__(cls, _models: object) -> Any:
            return cls

    class ModelForm(Subscriptable, forms.ModelForm): ...

    class BaseFormSet(Subscriptable, forms.BaseFormSet): ...

from django import forms

from tms.lib.text_fields import FormLines
from tms.shifts.models import Note


class NoteForm(forms.Form):
    text = FormLines(max_length=Note._meta.get_field("text").max_length, widget=forms.Textarea)

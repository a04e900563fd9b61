from django import forms

from tms.shifts.models import Note
from tms.lib.text_fields import FormLines


class NoteForm(forms.Form):
    text = FormLines(max_length=Note._meta.get_field("text").max_length, widget=forms.Textarea)

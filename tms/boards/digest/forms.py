from django import forms

from tms.shifts.models import Note


class NoteForm(forms.Form):
    text = forms.CharField(max_length=Note._meta.get_field("text").max_length, widget=forms.Textarea)

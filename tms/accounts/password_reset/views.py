"""The pages with which people reset their password."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.audit import recorder
from tms.accounts.mail import background, notices
from tms.accounts.mail.notices import Notice
from tms.accounts.models import User
from tms.accounts.password_reset import mail
from tms.accounts.sign_in.throttle import Guessed, attempt
from tms.lib.text_fields import FormLine
from tms.metrics.instruments import PASSWORD_RESETS


class AskForm(forms.Form):
    name = FormLine(max_length=254)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """The same answer for every name, known or not. Each request counts; too many get 429."""
    form = AskForm(request.POST or None)
    is_sent = mail.is_possible() and form.is_valid()
    if is_sent:
        typed, language = form.cleaned_data["name"], get_language() or "en"
        with attempt(request, typed, of=Guessed.RESET):
            background.run(lambda: mail.send_links(typed, language))
    context = {"is_sent": is_sent, "is_possible": mail.is_possible()}
    return render(request, "accounts/password_reset/ask.html", context)


class Reset(PasswordResetConfirmView):
    """The link opens it once, within an hour. Afterwards the person signs in, with all their factors."""

    template_name = "accounts/password_reset/reset.html"
    success_url = reverse_lazy("sign-in")

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        return super().get_context_data(**kwargs) | {"rules": password_validators_help_texts()}

    def form_valid(self, form: Any) -> HttpResponse:
        person: User = form.user
        with transaction.atomic():
            answer = super().form_valid(form)
            recorder.record("password-reset", person)
            notices.send(person, Notice.PASSWORD_CHANGED)
        PASSWORD_RESETS.labels("done").inc()
        return answer


reset = Reset.as_view()

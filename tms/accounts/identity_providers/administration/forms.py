"""Forms of identity providers and their group mappings."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.models import construct_instance
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person
from tms.accounts.identity_providers.administration import trust
from tms.accounts.identity_providers.oidc import client_key
from tms.accounts.identity_providers.saml import certificates
from tms.accounts.models import ClientAuth, GroupMapping, IdentityProvider, ProviderKind
from tms.accounts.people.forms import GrantForm
from tms.lib.encryption import DecryptionError
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm
from tms.lib.outgoing import ssrf_guard
from tms.lib.outgoing.bounded_http import FetchError, require_web
from tms.lib.text_fields import FormLine

HARMLESS = frozenset({"name", "signs_out"})
"""Fields that do not decide who signs in as whom."""


class AnyProviderForm(Plain, ModelForm[IdentityProvider]):
    """What the forms of all protocols share. `by`: the person who changes the provider."""

    def __init__(self, *args: Any, by: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        links = bool(cleaned.get("links_by_email"))
        is_harmless = HARMLESS.issuperset(self.changed_data)
        if not is_harmless and (fault := trust.refusal(self.instance, links_by_email=links, by=self.by)):
            self.add_error(None, fault)
        if links and not (cleaned.get("email_domains") or "").strip():
            text = gettext("Name the domains of this provider: it must not speak for addresses of others.")
            self.add_error("email_domains", text)
        return cleaned

    def apply_to(self, row: IdentityProvider) -> None:
        """Change `row` instead, and only in what was changed here. It is not saved yet."""
        self.instance = construct_instance(self, row, self.changed_data)


class SamlProviderForm(AnyProviderForm):
    class Meta:
        model = IdentityProvider
        fields = (
            "name",
            "slug",
            "issuer",
            "sso_url",
            "certificates",
            "groups_claim",
            "email_domains",
            "creates_people",
            "links_by_email",
            "factor_policy",
            "acr_values",
        )
        labels: ClassVar = {
            "issuer": _("Entity ID"),
            "groups_claim": _("Attribute of groups"),
            "acr_values": _("Authentication contexts"),
        }
        help_texts: ClassVar = {
            "issuer": _("As the provider writes it: entityID in its metadata"),
            "groups_claim": _("The attribute that lists the groups of a person, by its full name."),
            "acr_values": _("Values of AuthnContextClassRef that count as a second factor."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sso_url"].required = self.fields["certificates"].required = True
        self.dress()

    def clean_sso_url(self) -> str:
        address: str = self.cleaned_data["sso_url"]
        try:
            require_web(address, may_be_plain=not settings.PRODUCTION)
        except FetchError as error:
            raise ValidationError(str(error)) from None
        return address

    def clean_certificates(self) -> str:
        """The certificates in PEM, one below the other."""
        try:
            found = certificates.parse(self.cleaned_data["certificates"])
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


class ProviderForm(AnyProviderForm):
    client_secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = IdentityProvider
        fields = (
            "name",
            "slug",
            "issuer",
            "client_id",
            "client_auth",
            "client_secret",
            "scopes",
            "groups_claim",
            "email_domains",
            "creates_people",
            "links_by_email",
            "factor_policy",
            "acr_values",
            "signs_out",
        )
        labels = {"acr_values": _("Values of acr")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_stored = _has_secret(self.instance)
        text = gettext("Stored. Leave empty to keep it.") if is_stored else gettext("Empty for a public client.")
        self.fields["client_secret"].help_text = text
        self.dress()

    def clean_issuer(self) -> str:
        issuer: str = self.cleaned_data["issuer"]
        try:
            require_web(issuer, may_be_plain=not settings.PRODUCTION)
        except FetchError as error:
            raise ValidationError(str(error)) from None
        parts = urlsplit(issuer)
        if parts.query or parts.fragment:
            raise ValidationError(gettext("An issuer has no query and no fragment."))
        if address := ssrf_guard.refused_address(parts.hostname or "", settings.INSIDE_DESTINATIONS):
            text = gettext("Blocked: private address %(address)s. An operator can allow it with %(setting)s.")
            raise ValidationError(text % {"address": address, "setting": "TMS_INSIDE_DESTINATIONS"})
        return issuer

    def clean_scopes(self) -> str:
        scopes: str = self.cleaned_data["scopes"]
        if "openid" not in scopes.split():
            raise ValidationError(gettext("The scope openid is needed: openid profile email"))
        return scopes

    def save(self, commit: bool = True) -> IdentityProvider:
        """An empty secret leaves the stored one, unless it belongs to another client or issuer."""
        if self.cleaned_data["client_secret"]:
            self.instance.client_secret = self.cleaned_data["client_secret"]
        elif {"issuer", "client_id"} & set(self.changed_data):
            self.instance.client_secret = ""
        if self.cleaned_data["client_auth"] == ClientAuth.PRIVATE_KEY and not self.instance.has_private_key:
            self.instance.renew_private_key(client_key.new_key())
        return super().save(commit)


def _has_secret(provider: IdentityProvider) -> bool:
    try:
        return bool(provider.client_secret)
    except DecryptionError:
        return True  # the check says that it cannot be read


def form_of(chosen: IdentityProvider) -> type[AnyProviderForm]:
    return SamlProviderForm if chosen.kind == ProviderKind.SAML else ProviderForm


class MappingForm(GrantForm):
    """A group at the provider, and a role for a scope, of those that the editor may grant."""

    value = FormLine(
        label=_("Group at the provider"),
        max_length=255,
        help_text=_("Exactly as the provider sends it: a name, a path, or the ID of the group."),
    )

    field_order = ("value", "role", "scope")

    def store(self, provider: IdentityProvider) -> GroupMapping:
        """The mapping, which may have existed before."""
        columns = {"value": self.cleaned_data["value"], "role": self.cleaned_data["role"], **self.found.columns}
        known = provider.mappings.filter(**columns).first()
        return known or provider.mappings.create(**columns)

"""Identity providers, and the roles of their groups."""

from __future__ import annotations

from contextlib import suppress
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.grant import at_most_one
from tms.accounts.models.role import Role
from tms.accounts.scope.region_field import RegionField
from tms.lib import encryption
from tms.lib.text_fields import LineField

PURPOSE = b"tms.accounts.identity_providers"  # part of the key: it must not change


class ProviderKind(models.TextChoices):
    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"


class ClientAuth(models.TextChoices):
    """How TMS proves to the token endpoint who it is (OpenID Connect Core 1.0, 9)."""

    SECRET = "secret", _("With the client secret")
    PRIVATE_KEY = "private_key_jwt", _("With a key of its own (private_key_jwt)")


class FactorPolicy(models.TextChoices):
    """Whether signing in at the provider counts as a second factor."""

    NEVER = "never", _("Never: TMS asks for its own second factor")
    CLAIMED = "claimed", _("If the provider reports one (amr or acr)")
    ALWAYS = "always", _("Always: the provider asks everyone for one")


class IdentityProviderQuerySet(models.QuerySet["IdentityProvider"]):
    def enabled(self) -> Self:
        """The providers that the sign-in page offers."""
        return self.filter(is_enabled=True)


class IdentityProvider(models.Model):
    """A service at which people sign in instead of with a password of TMS (single sign-on)."""

    kind = models.CharField(_("protocol"), max_length=8, choices=ProviderKind, default=ProviderKind.OIDC)
    name = LineField(
        _("name"), max_length=60, unique=True, help_text=_("On the button of the sign-in page: Company account")
    )
    slug = models.SlugField(
        _("short name"),
        max_length=40,
        unique=True,
        help_text=_("Part of the addresses that you register at the provider. Lower-case letters, digits and hyphens."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, db_default=True)
    issuer = models.CharField(
        _("issuer"), max_length=500, help_text=_("As the provider writes it: https://login.example.com/realms/noc")
    )
    """The issuer of OpenID Connect, or the entity ID of SAML."""
    client_id = models.CharField(_("client ID"), max_length=255)
    client_auth = models.CharField(
        _("client authentication"),
        max_length=16,
        choices=ClientAuth,
        default=ClientAuth.SECRET,
        db_default=ClientAuth.SECRET,
        help_text=_("A key needs no secret at the provider, which reads the public part from TMS."),
    )
    encrypted_secrets = models.TextField(blank=True, default="", db_default="", editable=False)
    scopes = LineField(
        _("scopes"),
        max_length=200,
        default="openid profile email",
        help_text=_("What TMS asks for. Some providers send groups only with a scope of their own."),
    )
    groups_claim = LineField(
        _("claim of groups"),
        max_length=100,
        default="groups",
        help_text=_("The claim that lists the groups of a person. A dot leads inside: realm_access.roles"),
    )
    email_domains = LineField(
        _("e-mail domains"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("Only verified addresses of these domains may sign in, for example: noc.example. Empty: all."),
    )
    creates_people = models.BooleanField(_("create people at their first sign-in"), default=False, db_default=False)
    links_by_email = models.BooleanField(_("link existing people by verified e-mail"), default=False, db_default=False)
    factor_policy = models.CharField(
        _("second factor"),
        max_length=8,
        choices=FactorPolicy,
        default=FactorPolicy.NEVER,
        db_default=FactorPolicy.NEVER,
    )
    acr_values = LineField(
        _("acr values"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Values of acr that count as a second factor. TMS asks the provider for them."),
    )
    signs_out = models.BooleanField(
        _("sign out at the provider, too"),
        default=False,
        db_default=False,
        help_text=_("People who sign out of TMS are signed out of everything that they use with this account."),
    )
    sso_url = models.CharField(
        _("sign-in address"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where the provider takes requests by HTTP-Redirect: SingleSignOnService in its metadata."),
    )
    certificates = models.TextField(
        _("certificates"),
        max_length=20_000,
        blank=True,
        default="",
        db_default="",
        help_text=_("With which the provider signs, as PEM. Enter the next one beside the old one before it changes."),
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    objects = IdentityProviderQuerySet.as_manager()
    audited_relations = ("mappings",)

    class Meta:
        ordering = ("name",)
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")

    def __str__(self) -> str:
        return self.name

    @property
    def client_secret(self) -> str:
        """The client secret; empty for a public client. Raises DecryptionError."""
        return self._secrets().get("client_secret", "")

    @client_secret.setter
    def client_secret(self, secret: str) -> None:
        self._encrypt(client_secret=secret)

    @property
    def private_keys(self) -> list[str]:
        """Private keys as PEM. The first one signs; the one before it stays public until the next change. Raises
        DecryptionError.
        """
        secrets = self._secrets()
        return [secrets[name] for name in ("private_key", "former_key") if secrets.get(name)]

    @property
    def has_private_key(self) -> bool:
        """One that can be read."""
        with suppress(encryption.DecryptionError):
            return bool(self.private_keys)
        return False

    def renew_private_key(self, pem: str) -> None:
        """Make a new private key, without saving the provider."""
        self._encrypt(private_key=pem, former_key=self.private_keys[0] if self.has_private_key else "")

    def _secrets(self) -> dict[str, str]:
        return encryption.decrypt(self.encrypted_secrets, purpose=PURPOSE)

    def _encrypt(self, **changed: str) -> None:
        try:
            known = self._secrets()
        except encryption.DecryptionError:
            known = {}
        values = {name: value for name, value in (known | changed).items() if value}
        self.encrypted_secrets = encryption.encrypt(values, purpose=PURPOSE) if values else ""

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(self.email_domains.lower().replace(",", " ").split())


class GroupMapping(models.Model):
    """People of a group at the provider hold a role for a scope: for everything without region, site and group."""

    provider = models.ForeignKey(
        IdentityProvider, models.CASCADE, related_name="mappings", verbose_name=_("identity provider")
    )
    value = LineField(_("group at the provider"), max_length=255)
    role = models.ForeignKey(Role, models.PROTECT, related_name="mappings", verbose_name=_("role"))
    region = RegionField(_("region"))
    site = models.ForeignKey(
        "fleet.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("site")
    )
    group = models.ForeignKey(
        "fleet.Group", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group")
    )

    class Meta:
        ordering = ("value", "pk")
        verbose_name = _("group mapping")
        verbose_name_plural = _("group mappings")
        constraints = (
            models.CheckConstraint(
                name="mapping_one_scope",
                condition=at_most_one("region", "site", "group"),
                violation_error_message=_("Choose at most one of region, site and group."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.value}: {self.role} ({self.scope_name})"

    @property
    def scope_name(self) -> str:
        return str(self.region or self.site or self.group or gettext("everything"))

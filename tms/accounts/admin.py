"""People, roles, teams, tokens and the audit trail in the Django admin."""

from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as DjangoPermission
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts import access, api_tokens, one_time_secrets
from tms.accounts.audit.admin import AuditedAdmin, ModelAdmin, UserAdmin
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.models import ApiToken, AuditEntry, Grant, Role, Team, TokenScope, User
from tms.accounts.one_time_secrets import Secret
from tms.accounts.people import holdings
from tms.accounts.permissions import Permission
from tms.accounts.sessions import keys
from tms.lib.admin import ModelForm, ReadOnly

TOKEN_ADVICE = _("API clients send it with every request: Authorization: Bearer …")


class NamesOfItsOwn:
    """The form of an account whose names no other account may have, or look like."""

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]  # of the form beside it
        changed = [cleaned.get(name, "") for name in ("username", "email") if name in self.changed_data]  # type: ignore[attr-defined]
        if User.objects.is_taken(*changed, besides=self.instance):  # type: ignore[attr-defined]
            raise forms.ValidationError(gettext("Another account has this name or address, or one that looks like it."))
        return cleaned


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Boards"), {"fields": ("language", "theme")}))
    list_display = ("username", "display_name", "email", "language", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "language")
    for_superusers = ("is_staff", "is_superuser", "groups", "user_permissions")
    """A person who may set one of these could grant themselves all permissions."""

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (NamesOfItsOwn, form), {})

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        mine = super().get_readonly_fields(request, obj)
        return mine if request.user.is_superuser else (*mine, *self.for_superusers)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or access.may_act_for(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or access.may_act_for(request.user, obj))

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "language":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [("", _("Browser default")), *settings.LANGUAGES]
        return forms.ChoiceField(label=_("Language"), choices=choices, required=False)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_of_admin(db_field.name, kwargs))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What is deleted with a person: also their tokens, although a single token cannot be deleted."""
        deletable, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deletable, counts, needed - {ApiToken._meta.verbose_name}, protected

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  (the name is that of Django)
        """Gives the session a new key, also if the password is that of another person."""
        with keys.followed(request.session):
            return super().user_change_password(request, id, form_url)


for sign_ins, page in (
    (AccessAttempt, AccessAttemptAdmin),
    (AccessFailureLog, AccessFailureLogAdmin),
    (AccessLog, AccessLogAdmin),
):
    admin.site.unregister(sign_ins)
    admin.site.register(sign_ins, type(page.__name__, (AuditedAdmin, page), {}))

admin.site.unregister(Group)
for model in (Authenticator, EmailAddress, UserSession):
    # People manage their own factors and sessions under /me/. Factors contain secrets; addresses are not used.
    admin.site.unregister(model)


@admin.register(Group)
class PermissionGroupAdmin(AuditedAdmin, GroupAdmin):
    """Only superusers change groups: a person could otherwise give themselves all permissions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_of_admin(db_field.name, kwargs))


def _of_admin(field: str, options: Any) -> Any:
    """The options of a field without the permissions of actions, which are granted by roles."""
    if field not in {"permissions", "user_permissions"}:
        return options
    return options | {"queryset": DjangoPermission.objects.exclude(content_type__model="action")}


class ForSuperusers(ModelAdmin[Any]):
    """A person who could change these could give themselves all permissions."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class RoleForm(ModelForm[Role]):
    permissions = forms.MultipleChoiceField(
        label=_("permissions"),
        choices=[(permission.key, permission.label) for permission in Permission],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


@admin.register(Role)
class RoleAdmin(ForSuperusers):
    form = RoleForm
    list_display = ("name", "description", "is_builtin")
    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_builtin)

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_builtin)


class MembersForm(ModelForm[Team]):
    def clean_members(self) -> Any:
        members = self.cleaned_data["members"]
        joining = members.exclude(teams=self.instance) if self.instance.pk else members
        return _verified(members, *joining)


class HolderForm(ModelForm[Grant]):
    def clean_person(self) -> User | None:
        person: User | None = self.cleaned_data["person"]
        return _verified(person, *filter(None, [person])) if "person" in self.changed_data else person


def _verified[Chosen](chosen: Chosen, *people: User) -> Chosen:
    try:
        holdings.require_verified(*people)
    except holdings.UnverifiedAddressError as error:
        raise forms.ValidationError(str(error)) from None
    return chosen


@admin.register(Team)
class TeamAdmin(ForSuperusers):
    form = MembersForm
    list_display = ("name",)
    search_fields = ("name",)
    autocomplete_fields = ("members",)


@admin.register(Grant)
class GrantAdmin(ForSuperusers):
    form = HolderForm
    list_display = ("person", "team", "role", "region", "site", "group", "created_at")
    list_filter = ("role",)
    list_select_related = ("person", "team", "role", "site", "group")
    fields = ("person", "team", "role", "region", "site", "group")
    autocomplete_fields = ("person", "team", "site", "group")
    search_fields = ("person__username", "team__name", "role__name")

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user if isinstance(request.user, User) else None
        super().save_model(request, obj, form, change)


class ApiTokenForm(ModelForm[ApiToken]):
    maker: User

    days = forms.IntegerField(
        label=_("valid for (days)"),
        min_value=1,
        max_value=api_tokens.MAX_DAYS,
        initial=365,
        required=False,
        help_text=_("Leave empty for a token that is valid until revoked."),
    )

    def clean_person(self) -> User:
        """A token has all permissions of its person, and its creator could use them."""
        person: User = self.cleaned_data["person"]
        if not access.may_act_for(self.maker, person):
            raise forms.ValidationError(gettext("Choose someone whose permissions don't exceed yours."))
        return person


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin[ApiToken]):
    """A token is created and revoked, never edited."""

    form = ApiTokenForm
    records_itself = True
    list_display = ("name", "person", "scope", "created_at", "used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at")
    list_select_related = ("person",)
    search_fields = ("name", "person__username")
    autocomplete_fields = ("person",)
    ordering = ("-created_at",)
    actions = ("revoke_selected",)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return ("name", "person", "scope", "days") if obj is None else self.list_display

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"maker": request.user})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        add = recently_signed_in(super().add_view)
        return add(request, form_url, extra_context)  # type: ignore[arg-type,return-value]  # htmx is set by the middleware

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apitoken")

    @admin.action(description=_("Revoke the selected tokens"), permissions=("revoke",))
    def revoke_selected(self, request: HttpRequest, queryset: models.QuerySet[ApiToken]) -> None:
        number = api_tokens.revoke(queryset, at=datetime.now(UTC))
        self.message_user(request, ngettext("%d token was revoked.", "%d tokens were revoked.", number) % number)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        at, days = datetime.now(UTC), form.cleaned_data["days"]
        expires_at = at + timedelta(days=days) if days else None
        scope = TokenScope(obj.scope)
        token, secret = api_tokens.issue(obj.person, name=obj.name, at=at, expires_at=expires_at, scope=scope)
        obj.pk = token.pk
        one_time_secrets.store(request, Secret(obj.name, secret))

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        secrets = [one_time_secrets.stored(request)]
        title = gettext("New API token")
        return one_time_secrets.page(request, self.admin_site, ApiToken, secrets, title=title, advice=TOKEN_ADVICE)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, ModelAdmin[AuditEntry]):
    list_display = ("at", "actor_name", "via", "address", "action", "subject_type", "subject_name", "changes")
    list_filter = ("action", "subject_type", "via", "at")
    search_fields = ("actor_name", "subject_name")
    show_full_result_count = False
    ordering = ("-pk",)

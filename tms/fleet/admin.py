"""Admin pages of the fleet. They call the same services as everything else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.accounts import one_time_secrets
from tms.accounts.audit.admin import ModelAdmin
from tms.accounts.models import User
from tms.accounts.one_time_secrets import Secret
from tms.fleet.credentials import enrolment
from tms.fleet.credentials import services as credential_services
from tms.fleet.models import Credential, EnrolmentToken, Group, Site, Terminal
from tms.fleet.models.node import Node
from tms.fleet.models.opening_hours import HOLIDAY, OpeningHours, SpecialDay
from tms.fleet.sites import services as site_services
from tms.fleet.terminals import services as terminal_services
from tms.fleet.terminals.services import Cycle, check_no_cycle
from tms.lib.admin import ModelForm, ReadOnly, TabularInline
from tms.lib.db.natural_order import natural
from tms.lib.hashing import hash_token
from tms.protocol.credential import UID

KEY_ADVICE = _("The terminal's agent sends it with every connection.")
TOKEN_ADVICE = _("One new terminal of the site sends it to POST /api/v1/enrol and receives its own credential.")


class OpeningHoursForm(ModelForm[OpeningHours]):
    weekday = forms.TypedChoiceField(
        label=_("weekday"), coerce=int, choices=[*WEEKDAYS.items(), (HOLIDAY, _("Public holidays"))]
    )


class OpeningHoursInline(TabularInline[OpeningHours, Site]):
    model = OpeningHours
    form = OpeningHoursForm
    extra = 0


class SpecialDayInline(TabularInline[SpecialDay, Site]):
    model = SpecialDay
    extra = 0


@admin.register(Site)
class SiteAdmin(ModelAdmin[Site]):
    list_display = ("code", "name", "name_ja", "region", "time_zone")
    list_filter = ("region",)
    search_fields = ("code", "name", "name_ja", "region")
    inlines = (OpeningHoursInline, SpecialDayInline)

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: object) -> Any:
        if db_field.name != "time_zone":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        zones = [(zone, zone) for zone in sorted(available_timezones())]
        return forms.ChoiceField(label=_("Time zone"), choices=zones)

    def save_model(self, request: HttpRequest, obj: Site, form: object, change: bool) -> None:
        site_services.update_site(obj)


class TerminalForm(ModelForm[Terminal]):
    def clean_uid(self) -> str:
        uid: str = self.cleaned_data["uid"]
        if not UID.fullmatch(uid):
            raise forms.ValidationError(
                gettext("Use 1 to 64 letters, digits, - and _, starting with a letter or digit.")
            )
        return uid

    def clean_parent(self) -> Terminal | None:
        parent: Terminal | None = self.cleaned_data["parent"]
        try:
            with transaction.atomic():
                check_no_cycle(self.instance.pk, parent.pk if parent else None)
        except Cycle:
            raise forms.ValidationError(
                gettext("The terminal would be connected via itself. Choose another one.")
            ) from None
        return parent


@admin.register(Terminal)
class TerminalAdmin(ModelAdmin[Terminal]):
    form = TerminalForm
    list_display = ("uid", "site", "kind", "label", "presence", "last_seen", "model", "firmware")
    list_filter = ("state__presence", "state__status", "kind", "site__region", "model", "firmware")
    list_select_related = ("site", "state")
    search_fields = ("uid", "label", "serial", "site__code", "site__name", "site__name_ja")
    show_full_result_count = False
    autocomplete_fields = ("site", "parent")
    actions = ("issue_keys", "revoke_keys")
    reported = ("serial", "model", "firmware", "agent", "address", "created_at")
    link_state = ("presence", "since", "cause", "back_at", "last_seen", "status")
    fieldsets = (
        (None, {"fields": ("uid", "site", "kind", "label", "parent")}),
        (_("Current state"), {"fields": link_state}),
        (_("Reported by terminal"), {"fields": reported}),
    )
    add_fieldsets = fieldsets[:1]

    def get_fieldsets(self, request: HttpRequest, obj: Terminal | None = None) -> Any:
        return self.add_fieldsets if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Terminal | None = None) -> Any:
        """The UID is part of every key, so it cannot change."""
        return () if obj is None else ("uid", *self.link_state, *self.reported)

    def has_delete_permission(self, request: HttpRequest, obj: Terminal | None = None) -> bool:
        """Whether it may be deleted: only terminals that were never seen, because the others have a history that may
        be needed.
        """
        is_unseen = obj is not None and obj.state.last_seen_at is None
        return is_unseen and super().has_delete_permission(request, obj)

    def has_issue_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("fleet.add_credential")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("fleet.change_credential")

    def save_model(self, request: HttpRequest, obj: Terminal, form: object, change: bool) -> None:
        if change:
            terminal_services.update_terminal(obj)
            return
        key = credential_services.enrol(obj)
        one_time_secrets.store(request, Secret(obj.uid, str(key)))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Deletes its keys, too, although a single key cannot be deleted."""
        deletable, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return deletable, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: Terminal) -> None:
        terminal_services.delete_terminal(obj)

    def response_add(self, request: HttpRequest, obj: Terminal, post_url_continue: str | None = None) -> HttpResponse:
        return self._show(request, [one_time_secrets.stored_secret(request)])

    @admin.action(description=_("Issue a key"), permissions=("issue",))
    def issue_keys(self, request: HttpRequest, queryset: models.QuerySet[Terminal]) -> HttpResponse:
        secrets = []
        for terminal in queryset:
            secrets.append(Secret(terminal.uid, str(credential_services.issue(terminal))))
            self.log_change(request, terminal, "Issued a key.")
        return self._show(request, secrets)

    @admin.action(description=_("Revoke all keys"), permissions=("revoke",))
    def revoke_keys(self, request: HttpRequest, queryset: models.QuerySet[Terminal]) -> HttpResponse | None:
        return revoke(self, request, queryset, Credential.objects.filter(terminal__in=queryset), action="revoke_keys")

    def _show(self, request: HttpRequest, secrets: list[Secret]) -> TemplateResponse:
        title = ngettext("New key", "New keys", len(secrets))
        return one_time_secrets.page(request, self.admin_site, Terminal, secrets, title=title, advice=KEY_ADVICE)

    @admin.display(description=_("presence"), ordering="state__presence")
    def presence(self, terminal: Terminal) -> str:
        return terminal.state.get_presence_display()

    @admin.display(description=_("since"))
    def since(self, terminal: Terminal) -> str:
        return format_value(terminal.state.presence_at)

    @admin.display(description=_("cause"))
    def cause(self, terminal: Terminal) -> str:
        return format_value(terminal.state.get_cause_display())

    @admin.display(description=_("expected back"))
    def back_at(self, terminal: Terminal) -> str:
        return format_value(terminal.state.back_at)

    @admin.display(description=_("last seen"), ordering="state__last_seen_at")
    def last_seen(self, terminal: Terminal) -> str:
        return format_value(terminal.state.last_seen_at)

    @admin.display(description=_("status"))
    def status(self, terminal: Terminal) -> str:
        return format_value(terminal.state.get_status_display())


@admin.register(Credential)
class CredentialAdmin(ReadOnly, ModelAdmin[Credential]):
    list_display = ("terminal", "mark", "created_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("terminal",)
    search_fields = ("terminal__uid",)
    ordering = ("-created_at",)
    fields = list_display
    actions = ("revoke_selected",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("fleet.change_credential")

    @admin.action(description=_("Revoke the selected keys"), permissions=("revoke",))
    def revoke_selected(self, request: HttpRequest, queryset: models.QuerySet[Credential]) -> HttpResponse | None:
        return revoke(self, request, queryset, queryset, action="revoke_selected")

    @admin.display(description=_("hash"))
    def mark(self, key: Credential) -> str:
        """Enough to distinguish two keys, too little to use one."""
        return f"{key.digest[:8]}…"


@admin.register(Group)
class GroupAdmin(ModelAdmin[Group]):
    list_display = ("name",)
    search_fields = ("name",)
    autocomplete_fields = ("terminals",)


class EnrolmentTokenForm(ModelForm[EnrolmentToken]):
    hours = forms.IntegerField(
        label=_("valid for (hours)"),
        min_value=1,
        max_value=int(enrolment.MAX_VALIDITY / timedelta(hours=1)),
        initial=24,
    )


@admin.register(EnrolmentToken)
class EnrolmentTokenAdmin(ModelAdmin[EnrolmentToken]):
    """A token is created and, while unused, deleted; it is never edited."""

    form = EnrolmentTokenForm
    records_itself = True
    list_display = ("site", "created_by", "created_at", "expires_at", "used_at", "terminal")
    list_filter = (("used_at", admin.EmptyFieldListFilter), "expires_at")
    list_select_related = ("site", "created_by", "terminal")
    autocomplete_fields = ("site",)
    ordering = ("-created_at",)

    def get_fields(self, request: HttpRequest, obj: EnrolmentToken | None = None) -> Any:
        return ("site", "hours") if obj is None else self.list_display

    def has_change_permission(self, request: HttpRequest, obj: EnrolmentToken | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: EnrolmentToken, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        valid = timedelta(hours=form.cleaned_data["hours"])
        token = enrolment.make_token(obj.site, by=request.user, at=datetime.now(UTC), valid=valid)
        obj.pk = EnrolmentToken.objects.values_list("pk", flat=True).get(digest=hash_token(token))
        one_time_secrets.store(request, Secret(str(obj.site), token))

    def response_add(
        self, request: HttpRequest, obj: EnrolmentToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        secrets = [one_time_secrets.stored_secret(request)]
        title = gettext("New enrolment token")
        return one_time_secrets.page(
            request, self.admin_site, EnrolmentToken, secrets, title=title, advice=TOKEN_ADVICE
        )


@admin.register(Node)
class NodeAdmin(ReadOnly, ModelAdmin[Node]):
    list_display = ("name", "state", "links", "heartbeat_at", "started_at", "host", "pid")
    list_filter = ("state",)
    fields = (*list_display, "dropped_at", "dropped_links")


def format_value(value: object) -> str:
    """Formats a value like a column of the row itself: in local time, and a dash for nothing."""
    return display_for_value(value or None, "-")


def revoke(
    page: ModelAdmin[Any],
    request: HttpRequest,
    selected: models.QuerySet[models.Model],
    keys: models.QuerySet[Credential],
    *,
    action: str,
) -> HttpResponse | None:
    """Ask for confirmation, then revoke `keys`, which belong to the `selected` rows of `page`."""
    valid = keys.filter(revoked_at=None).select_related("terminal").order_by(natural("terminal__uid"), "created_at")
    if request.POST.get("confirmed"):
        for key in valid:
            page.log_change(request, key.terminal, f"Revoked the key {key.digest[:8]}.")
        number = credential_services.revoke(keys, at=datetime.now(UTC))
        page.message_user(request, ngettext("%d key was revoked.", "%d keys were revoked.", number) % number)
        return None
    context = page.admin_site.each_context(request) | {
        "opts": page.model._meta,
        "title": pgettext("question", "Revoke these keys?"),
        "keys": valid,
        "selected": selected.values_list("pk", flat=True),
        "action": action,
    }
    return TemplateResponse(request, "admin/fleet/revoke.html", context)

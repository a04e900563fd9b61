"""The pages of rules. Everyone may read and preview them; editing them needs a permission."""

from copy import copy
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.alerts.models import Alert, Rule
from tms.alerts.rule_editing import services, yaml_file, yaml_reader
from tms.alerts.rule_editing.services import OutOfDate
from tms.alerts.rule_editing.undo import offer_enabling, offer_restoring
from tms.alerts.rule_editing.yaml_file import BadFile
from tms.alerts.rule_kinds import RULE_KINDS
from tms.alerts.rule_kinds.base import RuleKind
from tms.boards.list_filters.filters import PRIMARY_KEY
from tms.boards.rules import rule_list
from tms.boards.rules.forms import RuleForm
from tms.boards.rules.preview import DEFAULT_SPAN, SPANS, preview_panel
from tms.boards.rules.sentence import sentence
from tms.boards.toasts import Toast, add_toast, toast
from tms.lib.forms.checks import is_check, render_errors
from tms.lib.forms.saved import redirect_saved


@require_safe
@never_cache
@sign_in_required
def rules(request: AuthenticatedRequest) -> HttpResponse:
    """The pages begin with the first rule, so that they are not empty; on phones with the list alone."""
    first = next((line.rule for line in rule_list.lines(to=request.user)), None)
    if first is None:
        return _show(request)
    return _show_rule(request, first, RuleForm(first.kind_object, first, person=request.user), is_first=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_RULES)
def rule(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    if request.method != "POST":
        return _show_rule(request, chosen, RuleForm(chosen.kind_object, chosen, person=request.user))
    access.demand(request.user, Permission.EDIT_RULES, chosen)
    form = RuleForm(chosen.kind_object, copy(chosen), person=request.user, data=request.POST.dict())
    return _save(request, chosen, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_RULES)
def new_rule(request: AuthenticatedRequest, kind: str = "") -> HttpResponse:
    """First the kind, then the form."""
    if not kind:
        return _show(request, kinds=RULE_KINDS.values())
    form = RuleForm(_kind(kind), _blank(kind), person=request.user, data=request.POST.dict() or None)
    return _save(request, None, form) if request.method == "POST" else _show_rule(request, None, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def preview_rule(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: the saved rule. POST: the form as entered."""
    chosen = _find(request, pk)
    data = request.POST.dict() if request.method == "POST" else None
    return _preview(request, chosen, RuleForm(chosen.kind_object, copy(chosen), person=request.user, data=data))


@require_POST
@sign_in_required
def preview_new_rule(request: AuthenticatedRequest, kind: str) -> HttpResponse:
    return _preview(request, None, RuleForm(_kind(kind), _blank(kind), person=request.user, data=request.POST.dict()))


@require_POST
@needs(Permission.EDIT_RULES)
def switch_rule(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Switch a rule on or off. Idempotent."""
    chosen = _editable(request, pk)
    chosen.enabled = request.POST.get("enabled") == "1"
    resolved = _count_unresolved(request, chosen)
    if services.save_rule(chosen, by=request.user, at=timezone.now()):
        add_toast(request, _switch_toast(request, chosen, resolved))
    return redirect(chosen)


def _switch_toast(request: AuthenticatedRequest, chosen: Rule, resolved: int) -> Toast:
    if chosen.enabled:
        return toast(_("Enabled"), chosen.local_name)
    title = chosen.local_name
    if resolved:
        number = ngettext("%(n)s alert resolved", "%(n)s alerts resolved", resolved) % {"n": f"{resolved:,}"}
        title = gettext(", ").join((title, number))
    return toast(_("Disabled"), title, offer_enabling(chosen, by=request.user))


def _count_unresolved(request: AuthenticatedRequest, chosen: Rule) -> int:
    return access.visible(Alert.objects.unresolved().filter(rule=chosen), to=request.user).count()


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_RULES)
def delete_rule(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _editable(request, pk)
    if request.method == "POST":
        at, was_enabled = timezone.now(), chosen.enabled
        try:
            services.delete_rule(chosen, by=request.user, at=at, version=_number(request.POST.get("version")))
        except OutOfDate:
            return _ask_to_delete(request, _find(request, pk), status=HTTPStatus.CONFLICT)
        token = offer_restoring(chosen, was_enabled=was_enabled, by=request.user, at=at)
        add_toast(request, toast(_("Deleted"), chosen.local_name, token))
        return redirect("rules")
    return _ask_to_delete(request, chosen)


@require_safe
@never_cache
@sign_in_required
def export_rules(request: AuthenticatedRequest) -> HttpResponse:
    name = f"tms-rules-{timezone.localtime():%Y-%m-%d}.yaml"
    recorder.record_export(Rule, "yaml")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = yaml_file.export(to=request.user)
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_RULES)
def import_rules(request: AuthenticatedRequest) -> HttpResponse:
    """Shows the changes first; a second POST with `sure` applies them. A file may change any rule."""
    access.demand_within(request.user, Permission.EDIT_RULES, EVERYTHING)
    source = _file(request)
    text = source if isinstance(source, str) else source.decode(errors="replace")
    if not source.strip():
        return _show_import(
            request, text, status=HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        )
    try:
        if request.POST.get("sure"):
            return _show_import(request, "", done=yaml_file.import_rules(source, by=request.user, at=timezone.now()))
        return _show_import(request, text, plan=yaml_file.plan_import(source))
    except BadFile as error:
        return _show_import(request, text, faults=error.faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _save(request: AuthenticatedRequest, chosen: Rule | None, form: RuleForm) -> HttpResponse:
    if is_check(request):
        return render_errors(request, form)
    if not form.is_valid():
        return _show_rule(request, chosen, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    access.demand_within_any(request.user, Permission.EDIT_RULES, form.rule.scopes)
    try:
        services.save_rule(form.rule, by=request.user, at=timezone.now(), version=form.cleaned_data["version"])
    except OutOfDate as error:
        return _out_of_date(request, error.rule, form)
    return redirect_saved(request, form.rule)


def _out_of_date(request: AuthenticatedRequest, now: Rule, form: RuleForm) -> HttpResponse:
    """The input is preserved. The form now has the newer version, so that saving again overwrites it deliberately."""
    if now.deleted_at:
        return _show(request, deleted=now, status=HTTPStatus.CONFLICT)
    form.data = {**form.data, "version": now.version}
    return _show_rule(request, now, form, newer=sentence(now), status=HTTPStatus.CONFLICT)


def _preview(request: AuthenticatedRequest, chosen: Rule | None, form: RuleForm) -> HttpResponse:
    sent = request.POST.get("span", DEFAULT_SPAN)
    span = sent if sent in SPANS else DEFAULT_SPAN
    context: dict[str, object] = {"spans": SPANS, "span": span}
    is_ok = not form.is_bound or form.is_valid()
    if is_ok:
        scope = access.scope_of(request.user)
        panel = preview_panel(form.rule, span, saved=chosen, at=timezone.now(), scope=scope)
        context |= {"preview": panel, "sentence": sentence(form.rule), "when": SPANS[panel.span].heading}
    if request.htmx:
        return render(request, "boards/rules/rule.html#preview", context | {"form": form})
    return _show_rule(
        request, chosen, form, status=HTTPStatus.OK if is_ok else HTTPStatus.UNPROCESSABLE_ENTITY, **context
    )


def _show_rule(
    request: AuthenticatedRequest, chosen: Rule | None, form: RuleForm, *, status: int = HTTPStatus.OK, **extra: object
) -> HttpResponse:
    context = {"form": form, "kind": form.kind, "chosen": chosen, "spans": SPANS, "span": DEFAULT_SPAN}
    context["may_edit"] = access.may(request.user, Permission.EDIT_RULES, chosen)
    if chosen is not None and not form.is_bound:
        context["sentence"] = sentence(chosen)
    context["unresolved"] = _count_unresolved(request, chosen) if chosen is not None else 0
    context["preview_at"] = (
        reverse("preview-rule", args=(chosen.pk,)) if chosen else reverse("preview-new-rule", args=(form.kind.name,))
    )
    context["known_metrics"] = rule_list.known_metrics(to=request.user)
    context["known_models"] = rule_list.known_models(to=request.user)
    return _show(request, template="boards/rules/rule.html", status=status, **(context | extra))


def _ask_to_delete(request: AuthenticatedRequest, chosen: Rule, *, status: int = HTTPStatus.OK) -> HttpResponse:
    alerts = access.visible(Alert.objects.filter(rule=chosen), to=request.user)
    numbers = {"unresolved": alerts.unresolved().count(), "past": alerts.count()}
    return _show(request, template="boards/rules/delete.html", chosen=chosen, status=status, **numbers)


def _show_import(
    request: AuthenticatedRequest, text: str, *, status: int = HTTPStatus.OK, **extra: object
) -> HttpResponse:
    return _show(request, template="boards/rules/import.html", text=text, status=status, **extra)


def _show(
    request: AuthenticatedRequest,
    *,
    template: str = "boards/rules/rules.html",
    status: int = HTTPStatus.OK,
    **extra: object,
) -> HttpResponse:
    context = {
        "nav_item": "rules",
        "rules": rule_list.lines(to=request.user),
        "may_import": access.may_within(request.user, Permission.EDIT_RULES, EVERYTHING),
        **extra,
    }
    return render(request, template, context, status=status)


def _find(request: AuthenticatedRequest, pk: int) -> Rule:
    rows = access.visible(Rule.objects.not_deleted(), to=request.user)
    found = rows.select_related("site", "group", "changed_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _editable(request: AuthenticatedRequest, pk: int) -> Rule:
    found = _find(request, pk)
    access.demand(request.user, Permission.EDIT_RULES, found)
    return found


def _kind(name: str) -> RuleKind:
    if name not in RULE_KINDS:
        raise Http404
    return RULE_KINDS[name]


def _blank(name: str) -> Rule:
    kind = _kind(name)
    return Rule(kind=kind.source.value, comparison=kind.comparison)


def _file(request: AuthenticatedRequest) -> str | bytes:
    """Read the file, only as much as needed to see that it is too long."""
    file = request.FILES.get("file")
    if file is None:
        return str(request.POST.get("text", ""))
    return bytes(file.read(yaml_reader.MAX_BYTES + 1))


def _number(text: str | None) -> int | None:
    return int(text) if text and PRIMARY_KEY.fullmatch(text) else None

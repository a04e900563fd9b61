"""Adding a terminal to groups, and removing it."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.fleet.groups import services
from tms.fleet.manage import page
from tms.fleet.manage.forms import MembershipForm
from tms.fleet.manage.views import show_terminal
from tms.lib.forms.saved import redirect_saved


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def change_groups(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """Needs the permission for the terminal and for the group."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_GROUPS)
    form = MembershipForm(request.POST, by=request.user)
    if not form.is_valid():
        return show_terminal(request, terminal, group_form=form)
    group, is_added = form.cleaned_data["group"], form.cleaned_data["change"] == "add"
    add, remove = ([terminal.pk], []) if is_added else ([], [terminal.pk])
    services.set_members(group, add=add, remove=remove, by=request.user, at=timezone.now())
    return redirect_saved(request, "manage-terminal", uid)

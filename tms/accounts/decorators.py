"""Who may open a page: checked through `tms.accounts.access` before the view runs."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.sign_in.next_page import page_of

type View[**P] = Callable[Concatenate["AuthenticatedRequest", P], HttpResponseBase]


class PageRequest(HttpRequest):
    """A request for a page. The middleware of django-htmx sets `htmx`."""

    htmx: HtmxDetails


class AuthenticatedRequest(PageRequest):
    """A request of a person who may watch."""

    user: User


def sign_in_required[**P](view: View[P]) -> Callable[Concatenate[PageRequest, P], HttpResponseBase]:
    """Redirects people who may not watch to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if access.may_watch(request.user):
            return view(request, *args, **kwargs)  # type: ignore[arg-type]  # narrowed by the question above
        if request.htmx:
            # htmx would insert the sign-in page instead of the response
            return HttpResponseClientRedirect(_sign_in(page_of(request, otherwise="")))
        return redirect(_sign_in(page_of(request, otherwise=resolve_url("overview"))))

    return guarded


def _sign_in(page: str) -> str:
    """The sign-in page, and `page` afterwards."""
    return redirect_to_login(page).url if page else resolve_url("sign-in")


def needs[**P](permission: Permission) -> Callable[[View[P]], Callable[Concatenate[PageRequest, P], HttpResponseBase]]:
    """Admits only people with this permission."""

    def guard(view: View[P]) -> Callable[Concatenate[PageRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            access.demand(request.user, permission)
            return view(request, *args, **kwargs)

        return sign_in_required(guarded)

    return guard


def needs_to_post[**P](
    permission: Permission,
) -> Callable[[View[P]], Callable[Concatenate[PageRequest, P], HttpResponseBase]]:
    """Everyone signed in may read; only people with this permission may submit."""

    def guard(view: View[P]) -> Callable[Concatenate[PageRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method == "POST":
                access.demand(request.user, permission)
            return view(request, *args, **kwargs)

        return sign_in_required(guarded)

    return guard

"""What the templates of every page need."""

from functools import partial

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Granted, Person, scope_of
from tms.accounts.display_names import name_of
from tms.accounts.me.time_zone import chosen_zone
from tms.accounts.models import Density, Theme, User
from tms.alerts.actions.registry import ACTIONS
from tms.boards.caches.running_jobs import running_job_cache
from tms.boards.caches.running_rollouts import running_rollout_cache
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.release import version
from tms.lib.severity import Severity

KEYS = (
    (("?",), _("Shortcuts")),
    (("Ctrl K",), _("Search and commands")),
    (("/",), _("Search this page, or everything")),
    (("j", "k"), _("Next row, previous row")),
    (("x",), _("Select row")),
    (("c", "m", "t"), _("Command, maintenance or tag for the selected terminals")),
    *(((action.key,), action.key_help) for action in ACTIONS.values() if action.key_help),
    (("n",), _("New job or rollout, on their lists")),
    (("p",), _("Pause or resume a job or rollout")),
    (("a", "b"), _("Approve the next wave of a rollout, roll it back")),
    (("⇧A",), _("Acknowledge until recovery, without a dialog")),
    (("Z",), _("Undo")),
    (("Ctrl ⏎",), _("Submit a dialog, a new job or a new rollout")),
    (("q",), _("Sound on or off")),
    (("g", "o"), _("Go to overview")),
    (("g", "t"), _("Go to terminals")),
    (("g", "a"), _("Go to alerts")),
    (("g", "i"), _("Go to incidents")),
    (("g", "r"), _("Go to rollouts")),
    ((".",), _("Show updates")),
    ((pgettext_lazy("key", "Space"),), _("Play or pause a replay")),
    (("[", "]"), _("Previous event, next event of a replay")),
    (("←", "→"), _("A minute back or forward in a replay; ten with Shift")),
    (("Esc",), _("Cancel or close")),
)


def shell(request: HttpRequest) -> dict[str, object]:
    """The frame of every page: person, language and theme."""
    person = getattr(request, "user", None)
    me = person if isinstance(person, User) else None
    other = next(code for code, _ in settings.LANGUAGES if code != get_language())
    theme = "" if me is None or me.theme == Theme.SYSTEM else me.theme
    return {
        "me": name_of(me) if me else None,
        "theme": theme,
        "has_shortcuts": me is None or me.has_shortcuts,
        "density": me.density if me else Density.STANDARD,
        "time_zone": chosen.key if me and (chosen := chosen_zone(me)) else "",
        "sounds": None if me is None or me.sounds is None else " ".join(me.sounds),
        "other_theme": Theme.LIGHT if theme == Theme.DARK else Theme.DARK,
        "other_language": other,
        "key_list": KEYS,
        "version": version(),
        "severity_names": tuple(Severity),
        "move_interval_s": settings.MOVE_INTERVAL_S,
        "proof_interval_s": settings.PROOF_INTERVAL_S,
        "may": Granted(me or AnonymousUser()),
        "running_jobs": partial(running_job_cache().number_for, me) if me else 0,
        "running_rollouts": partial(running_rollout_cache().number_for, me) if me else 0,
        # For pages without live content, read when rendered.
        "page_state": SimpleLazyObject(lambda: _frame_only(me or AnonymousUser())),
    }


def _frame_only(person: Person) -> PageState:
    return PageState(nav(RenderContext(timezone.now(), scope_of(person))))

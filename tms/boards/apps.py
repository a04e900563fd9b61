from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out

from tms.feed.change import Change
from tms.feed.hub import hub
from tms.feed.publisher import publish


class BoardsConfig(AppConfig):
    name = "tms.boards"

    def ready(self) -> None:
        from tms.boards.caches.census_cache import census_cache  # the models it counts are loaded by now
        from tms.boards.caches.plans import plan_cache

        user_logged_out.connect(tell_boards)
        hub.listeners |= {census_cache, plan_cache}


def tell_boards(sender: object, *, user: Any, **_: Any) -> None:
    """Whoever signs out has boards open: they close at once instead of at the next look at the sign-ins (R14)."""
    if user is not None:
        publish(Change(people=frozenset({user.pk})))

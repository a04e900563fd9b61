import gc
import weakref

from django.contrib.auth.models import AnonymousUser
from django.template import engines


class Shown:
    """Something on a page that can be watched."""


def test_what_a_page_showed_does_not_wait_for_the_garbage_collector(rf):
    shown, request = Shown(), rf.get("/")
    request.user = AnonymousUser()
    watched = weakref.ref(shown)
    template = engines["template_engine"].from_string("{{ shown }}")

    gc.disable()
    try:
        template.render({"shown": shown}, request)
        del shown

        assert watched() is None
    finally:
        gc.enable()

import gc
import weakref

from django.contrib.auth.models import AnonymousUser
from django.template import engines


class Shown:
    """An object on a page whose lifetime can be observed."""


def test_objects_of_a_page_are_freed_without_the_garbage_collector(rf):
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

"""What terminals that are lost together may have in common, and how that is said."""

from django.db import models
from django.utils.translation import gettext, pgettext, pgettext_lazy


class Factor(models.TextChoices):
    """In the order in which TMS asks."""

    SITE = "site", pgettext_lazy("factor", "site")
    GROUP = "group", pgettext_lazy("factor", "group")
    MODEL = "model", pgettext_lazy("factor", "model")
    FIRMWARE = "firmware", pgettext_lazy("factor", "firmware")
    NODE = "node", pgettext_lazy("factor", "TMS node")


def lost(factor: Factor, *, lost: int, size: int, name: str) -> str:
    """How many of how many, and of what: `47 of 50 lost at Shinjuku`."""
    match factor:
        case Factor.SITE:
            text = gettext("%(lost)d of %(size)d lost at %(name)s")
        case Factor.GROUP:
            text = gettext("%(lost)d of %(size)d lost in group %(name)s")
        case Factor.MODEL:
            text = gettext("%(lost)d of %(size)d lost of model %(name)s")
        case Factor.FIRMWARE:
            text = gettext("%(lost)d of %(size)d lost with firmware %(name)s")
        case _:
            text = gettext("%(lost)d of %(size)d lost that were connected to %(name)s")
    return text % {"lost": lost, "size": size, "name": name}


def alike(factor: Factor, *, name: str, number: int, lost: int) -> str:
    """How many of `lost` have it, too: `all with firmware 2.4`."""
    match factor:
        case Factor.SITE:
            text = pgettext("in common", "at %(name)s")
        case Factor.GROUP:
            text = pgettext("in common", "in group %(name)s")
        case Factor.MODEL:
            text = pgettext("in common", "of model %(name)s")
        case Factor.FIRMWARE:
            text = pgettext("in common", "with firmware %(name)s")
        case _:
            text = pgettext("in common", "connected to %(name)s")
    what = text % {"name": name}
    if number >= lost:
        return gettext("all %(what)s") % {"what": what}
    return gettext("%(number)d of them %(what)s") % {"number": number, "what": what}

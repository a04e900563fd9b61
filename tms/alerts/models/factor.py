"""Common factors of terminals that are lost together, and their text."""

from django.db import models
from django.utils.translation import gettext, ngettext, pgettext_lazy


class Factor(models.TextChoices):
    """Common factors in the order in which TMS checks them."""

    SITE = "site", pgettext_lazy("factor", "site")
    GROUP = "group", pgettext_lazy("factor", "group")
    MODEL = "model", pgettext_lazy("factor", "model")
    FIRMWARE = "firmware", pgettext_lazy("factor", "firmware")
    NODE = "node", pgettext_lazy("factor", "TMS node")
    REGION = "region", pgettext_lazy("factor", "region")
    FLEET = "fleet", pgettext_lazy("factor", "whole fleet")


SITES_TOGETHER = (Factor.REGION, Factor.FLEET)
"""Factors of sites that are lost together; the others are of terminals."""
OF_MANY_SITES = (Factor.GROUP, *SITES_TOGETHER)
"""The common factors of an incident that incidents of sites were merged into, the narrowest first."""
OF_RULES = (Factor.SITE, Factor.GROUP, Factor.MODEL, Factor.FIRMWARE, Factor.REGION)
"""What terminals may have in common at which the same rule triggers. A node and the fleet explain no reading."""


def title(factor: Factor, *, rule: str, lost: int, size: int, name: str, sites: int = 0) -> str:
    """One line: `Umeda: 48 of 50 terminals offline`, or with a rule `Paper low, firmware 4.2.1: 40 of 80 terminals`.

    Without a name, it is unknown to the reader what they have in common.
    """
    if not name and factor is not Factor.FLEET:
        return _title_without_factor(rule, lost)
    if not rule:
        return _title_of_factor(factor, lost=lost, size=size, name=name, sites=sites)
    where = name if factor is Factor.SITE else gettext("%(factor)s %(name)s") % {"factor": factor.label, "name": name}
    values = {"rule": rule, "where": where, "lost": lost, "size": size}
    if size:
        return gettext("%(rule)s, %(where)s: %(lost)d of %(size)d terminals") % values
    text = ngettext("%(rule)s, %(where)s: %(lost)d terminal", "%(rule)s, %(where)s: %(lost)d terminals", lost)
    return text % values


def _title_without_factor(rule: str, lost: int) -> str:
    if rule:
        text = ngettext("%(rule)s: %(lost)d terminal", "%(rule)s: %(lost)d terminals", lost)
    else:
        text = ngettext("%(lost)d terminal offline", "%(lost)d terminals offline", lost)
    return text % {"rule": rule, "lost": lost}


def _title_of_factor(factor: Factor, *, lost: int, size: int, name: str, sites: int = 0) -> str:
    """How many of how many, and the factor: `Shinjuku: 47 of 50 terminals offline`; without a size, how many.

    `sites`: number of sites that were lost together; 0 if only terminals were.
    """
    if not size:
        return _lost_of_unknown(factor, lost) % {"lost": lost, "name": name}
    if sites:
        return _lost_sites(factor, sites) % {
            "lost": lost,
            "size": size,
            "name": name,
            "sites": sites,
            "more": sites - 1,
        }
    match factor:
        case Factor.SITE:
            text = gettext("%(name)s: %(lost)d of %(size)d terminals offline")
        case Factor.GROUP:
            text = gettext("Group %(name)s: %(lost)d of %(size)d terminals offline")
        case Factor.MODEL:
            text = gettext("Model %(name)s: %(lost)d of %(size)d terminals offline")
        case Factor.FIRMWARE:
            text = gettext("Firmware %(name)s: %(lost)d of %(size)d terminals offline")
        case _:
            text = gettext("TMS node %(name)s: %(lost)d of %(size)d terminals offline")
    return text % {"lost": lost, "size": size, "name": name}


def _lost_sites(factor: Factor, sites: int) -> str:
    match factor:
        case Factor.SITE:
            return ngettext(
                "%(name)s and %(more)d more site: %(lost)d of %(size)d terminals offline",
                "%(name)s and %(more)d more sites: %(lost)d of %(size)d terminals offline",
                sites - 1,
            )
        case Factor.REGION:
            return ngettext(
                "Region %(name)s: %(sites)d site, %(lost)d of %(size)d terminals offline",
                "Region %(name)s: %(sites)d sites, %(lost)d of %(size)d terminals offline",
                sites,
            )
        case Factor.FLEET:
            return ngettext(
                "Whole fleet: %(sites)d site, %(lost)d of %(size)d terminals offline",
                "Whole fleet: %(sites)d sites, %(lost)d of %(size)d terminals offline",
                sites,
            )
        case _:
            return ngettext(
                "Group %(name)s: %(sites)d site, %(lost)d of %(size)d terminals offline",
                "Group %(name)s: %(sites)d sites, %(lost)d of %(size)d terminals offline",
                sites,
            )


def _lost_of_unknown(factor: Factor, lost: int) -> str:
    match factor:
        case Factor.REGION:
            return ngettext(
                "Region %(name)s: %(lost)d terminal offline", "Region %(name)s: %(lost)d terminals offline", lost
            )
        case Factor.FLEET:
            return ngettext("Whole fleet: %(lost)d terminal offline", "Whole fleet: %(lost)d terminals offline", lost)
        case Factor.SITE:
            return ngettext("%(name)s: %(lost)d terminal offline", "%(name)s: %(lost)d terminals offline", lost)
        case Factor.GROUP:
            return ngettext(
                "Group %(name)s: %(lost)d terminal offline", "Group %(name)s: %(lost)d terminals offline", lost
            )
        case Factor.MODEL:
            return ngettext(
                "Model %(name)s: %(lost)d terminal offline", "Model %(name)s: %(lost)d terminals offline", lost
            )
        case Factor.FIRMWARE:
            return ngettext(
                "Firmware %(name)s: %(lost)d terminal offline", "Firmware %(name)s: %(lost)d terminals offline", lost
            )
        case _:
            return ngettext(
                "TMS node %(name)s: %(lost)d terminal offline", "TMS node %(name)s: %(lost)d terminals offline", lost
            )


def further_text(factor: Factor, *, name: str, number: int, lost: int) -> str:
    """How many of `lost` have it, too: `all have firmware 2.4`."""
    text = _of_all(factor) if number >= lost else _of_some(factor)
    return text % {"number": number, "name": name, "lost": lost}


def _of_all(factor: Factor) -> str:
    match factor:
        case Factor.SITE:
            return gettext("all are at %(name)s")
        case Factor.GROUP:
            return gettext("all are in group %(name)s")
        case Factor.MODEL:
            return gettext("all are model %(name)s")
        case Factor.FIRMWARE:
            return gettext("all have firmware %(name)s")
        case _:
            return gettext("all were connected to %(name)s")


def _of_some(factor: Factor) -> str:
    match factor:
        case Factor.SITE:
            return gettext("%(number)d of %(lost)d at %(name)s")
        case Factor.GROUP:
            return gettext("%(number)d of %(lost)d in group %(name)s")
        case Factor.MODEL:
            return gettext("%(number)d of %(lost)d are %(name)s")
        case Factor.FIRMWARE:
            return gettext("%(number)d of %(lost)d on firmware %(name)s")
        case _:
            return gettext("%(number)d of %(lost)d were connected to %(name)s")

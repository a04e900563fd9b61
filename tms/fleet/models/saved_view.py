"""Saved views: named lists, which people open again."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import Owned, one_owner
from tms.lib.text_fields import LineField, LinesField

MAX_VIEW_NAME = 60
MAX_VIEW_QUERY = 2_000


class ViewedList(models.TextChoices):
    """The list that a view is one of; the value is the name of its URL."""

    TERMINALS = "terminals", _("Terminals")


class SavedView(Owned):
    """A query, columns and an order with a name. It is text only: each person sees the rows of their own scope.

    A private view is its maker's alone. A shared one is seen by people whose scope overlaps that of its owner columns.
    Read both through `tms.fleet.saved_views.services.views_of`: an owner says nothing about a private view.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", verbose_name=_("by"))
    list = models.CharField(_("list"), max_length=16, choices=ViewedList, default=ViewedList.TERMINALS)
    name = LineField(_("name"), max_length=MAX_VIEW_NAME)
    query = LinesField(_("query"), max_length=MAX_VIEW_QUERY, blank=True, default="")
    columns = LineField(_("columns"), max_length=1_000, blank=True, default="")
    order = LineField(_("order"), max_length=60, blank=True, default="")
    """Columns and order as in the URL of the list; empty for those of the list."""
    is_shared = models.BooleanField(_("shared"), default=False)

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("view")
        verbose_name_plural = _("views")
        constraints = (
            one_owner("saved_view_one_owner"),
            models.CheckConstraint(
                name="saved_view_private",
                condition=models.Q(is_shared=True) | models.Q(owner_region="", owner_site=None, owner_group=None),
            ),
            # Reader: the tabs of a list.
            models.UniqueConstraint(fields=("by", "list", "name"), name="saved_view_name"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The list as it was saved."""
        given = {"q": self.query, "columns": self.columns, "order": self.order, "view": self.pk}
        return f"{reverse(self.list)}?{urlencode({name: value for name, value in given.items() if value})}"

    def get_absolute_url(self) -> str:
        return self.address

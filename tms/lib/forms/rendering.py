"""Widgets that the template engine of pages renders."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class ByPages:
    """A widget with a template of ours: rendered by the engine of pages, because that of forms does not know them."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return render_to_string(template_name, context)

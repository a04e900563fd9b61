"""Widgets that the template engine of pages renders."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class ByPages:
    """A widget with a template of ours: rendered by the engine of pages, because that of forms does not know them."""

    def _render(self, template_name: str, context: dict[str, object], renderer: object = None) -> SafeString:
        return render_to_string(template_name, context)

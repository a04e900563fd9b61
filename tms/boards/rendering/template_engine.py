"""Django's templates without the reference cycle that each page would leave to the garbage collector."""

from django.http import HttpRequest
from django.template.backends.django import DjangoTemplates, Template
from django.template.context import make_context
from django.utils.safestring import SafeString


class Templates(DjangoTemplates):
    def get_template(self, template_name: str) -> Template:
        return PageTemplate(super().get_template(template_name).template, self)

    def from_string(self, template_code: str) -> Template:
        return PageTemplate(super().from_string(template_code).template, self)


class PageTemplate(Template):
    def render(self, context: dict[str, object] | None = None, request: HttpRequest | None = None) -> SafeString:
        """A context refers to the context it was made from, and back. All values of a page would stay in memory until a
        garbage collection, and those are rare here (`tms.server.memory`): 8 MiB per node for boards of a fleet of
        5,000.
        """
        whole = make_context(context, request, autoescape=self.backend.engine.autoescape)
        try:
            return self.template.render(whole)
        finally:
            whole.dicts.clear()

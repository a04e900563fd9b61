"""The page that documents the REST API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The reference of the REST API, for everyone who may read its OpenAPI document: it shows nothing else."""
    return render(request, "api-docs.html")

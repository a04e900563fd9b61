"""The page of the textbook."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from benchmarks.textbook.models import Terminal


@login_required
def board(request: HttpRequest) -> HttpResponse:
    """The first of the terminals; each message of the socket changes its row."""
    return render(request, "board.html", {"terminals": Terminal.objects.order_by("uid")[:50]})

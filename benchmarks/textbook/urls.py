"""The URL of the textbook's board."""

from django.urls import path

from benchmarks.textbook.views import board

urlpatterns = [path("", board)]

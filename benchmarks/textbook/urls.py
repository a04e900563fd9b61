from django.urls import path

from benchmarks.textbook.views import board

urlpatterns = [path("", board)]

"""The URL of the search."""

from django.urls import path

from tms.search import views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/completions/", views.complete_search, name="complete-search"),
]

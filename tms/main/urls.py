"""All URLs of TMS."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from tms.main.api_v1 import api
from tms.rest_base.docs import api_docs

handler403 = "tms.accounts.views.forbidden"
handler500 = "tms.ops.middleware.unavailable.failed"

if settings.ADMIN:
    admin.autodiscover()

urlpatterns = [
    path("", include("tms.boards.urls")),
    path("", include("tms.accounts.urls")),
    path("", include("tms.notifications.urls")),
    path("", include("tms.ops.urls")),
    path("", include("tms.transfer.urls")),
    path("", include("tms.demo.breaking.urls")),
    path("", include("tms.search.urls")),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/v1/", include("tms.fleet.urls")),
    path("api/v1/", api.urls),
    *([path("admin/", admin.site.urls)] if settings.ADMIN else ()),
]

"""All URLs of TMS."""

from django.urls import include, path

from tms.main.api_v1 import api
from tms.rest_base.docs import api_docs

handler403 = "tms.accounts.views.forbidden"
handler500 = "tms.ops.middleware.unavailable.failed"

urlpatterns = [
    # First: a name such as `new` is no code of a site, and `edit` no UID.
    path("", include("tms.transfer.edits.urls")),
    path("", include("tms.fleet.sites.urls")),
    path("", include("tms.fleet.regions.urls")),
    path("", include("tms.boards.urls")),
    path("", include("tms.fleet.manage.urls")),
    path("", include("tms.accounts.urls")),
    path("", include("tms.fleet.groups.urls")),
    path("", include("tms.commands.urls")),
    path("", include("tms.fleet.label_editing.urls")),
    path("", include("tms.fleet.saved_views.urls")),
    path("", include("tms.inspections.urls")),
    path("", include("tms.jobs.urls")),
    path("", include("tms.artifacts.urls")),
    path("", include("tms.rollouts.urls")),
    path("", include("tms.configuration.urls")),
    path("", include("tms.notifications.urls")),
    path("", include("tms.ops.urls")),
    path("", include("tms.transfer.urls")),
    path("", include("tms.demo.breaking.urls")),
    path("", include("tms.search.urls")),
    path("api/docs/", api_docs, name="api-docs"),
    path("", include("tms.fleet.urls")),
    path("", include("tms.files.urls")),
    path("", include("tms.rollouts.hawkbit.urls")),
    path("api/v1/", api.urls),
]

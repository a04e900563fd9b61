from django.conf import settings

from tms.fleet.models import Site


def zones() -> list[str]:
    """Those of the sites, and the one of TMS."""
    return sorted({settings.TIME_ZONE, "UTC", *Site.objects.order_by().values_list("time_zone", flat=True).distinct()})

"""The endpoints of SCIM, one function each."""

from django.http import HttpResponse

from tms.accounts.scim.endpoint import ScimRequest, endpoint


@endpoint("GET")
def service_provider_config(request: ScimRequest) -> HttpResponse:
    from tms.accounts.scim import discovery

    return discovery.service_provider_config(request)


@endpoint("GET")
def resource_types(request: ScimRequest, name: str = "") -> HttpResponse:
    from tms.accounts.scim import discovery

    return discovery.resource_types(request, name)


@endpoint("GET")
def schemas(request: ScimRequest, name: str = "") -> HttpResponse:
    from tms.accounts.scim import discovery

    return discovery.schemas(request, name)


@endpoint("GET", "POST")
def users(request: ScimRequest) -> HttpResponse:
    from tms.accounts.scim import people, resources

    return resources.collection(request, people.USERS)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def user(request: ScimRequest, key: str) -> HttpResponse:
    from tms.accounts.scim import people, resources

    return resources.member(request, people.USERS, key)


@endpoint("GET", "POST")
def groups(request: ScimRequest) -> HttpResponse:
    from tms.accounts.scim import resources, teams

    return resources.collection(request, teams.GROUPS)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def group(request: ScimRequest, key: str) -> HttpResponse:
    from tms.accounts.scim import resources, teams

    return resources.member(request, teams.GROUPS, key)

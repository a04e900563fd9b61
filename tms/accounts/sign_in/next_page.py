from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def first_own(request: HttpRequest, *addresses: str, otherwise: str) -> str:
    """The first of the `addresses` that is one of ours: what a browser submits may lead to another site."""
    for address in addresses:
        if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
            return address
    return otherwise

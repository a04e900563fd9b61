"""REST operations for signing keys: the public keys that uploads are checked against."""

from django.http import Http404
from django.utils import timezone

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import services
from tms.artifacts.manifest import ManifestError
from tms.artifacts.models import SigningKey
from tms.artifacts.schemas import ArtifactKeySchema, SigningKeyBody, SigningKeyListSchema
from tms.artifacts.services import KeyRefused
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter

router = ApiRouter("artifacts")
CHANGING = Access(Permission.MANAGE_ARTIFACTS, is_idempotent=True)


@router.get("/signing-keys", summary="List signing keys", response=SigningKeyListSchema)
def list_signing_keys(request: ApiRequest) -> SigningKeyListSchema:
    """Also those that were removed. Terminals have keys of their own, which TMS cannot change."""
    return SigningKeyListSchema(items=[ArtifactKeySchema.of(key) for key in SigningKey.objects.all()])


@router.post("/signing-keys", summary="Add a signing key", response=ArtifactKeySchema, status=201, access=CHANGING)
def add_signing_key(request: ApiRequest, body: SigningKeyBody) -> ArtifactKeySchema:
    """Uploads that it has signed pass their check from now on."""
    demand_within(request.person, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    try:
        made = services.add_key(body.name, body.public_key, by=request.person, at=timezone.now())
    except KeyRefused as error:
        raise unreadable(RequestFault(f"$.{error.where}", str(error))) from None
    except ManifestError as error:
        raise unreadable(RequestFault("$.public_key", str(error))) from None
    return ArtifactKeySchema.of(made)


@router.post(
    "/signing-keys/{int:pk}/remove", summary="Remove a signing key", response=ArtifactKeySchema, access=CHANGING
)
def remove_signing_key(request: ApiRequest, pk: int) -> ArtifactKeySchema:
    """Uploads that only it has signed are refused; artifacts that exist stay. Repeating it changes nothing."""
    demand_within(request.person, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    found = SigningKey.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    services.remove_key(found, at=timezone.now())
    found.refresh_from_db()
    return ArtifactKeySchema.of(found)

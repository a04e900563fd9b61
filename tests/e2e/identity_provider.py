"""Identity providers whose groups `noc` and `timelords` are operators."""


def make_provider(
    issuer: str, client_id: str, secret: str, name: str = "Company account", slug: str = "company"
) -> int:
    from tms.accounts.models import GroupMapping, IdentityProvider
    from tms.accounts.roles import built_in

    made = IdentityProvider(
        name=name,
        slug=slug,
        issuer=issuer,
        client_id=client_id,
        scopes="openid profile email groups",
        creates_people=True,
    )
    made.client_secret = secret
    made.save()
    for group in ("noc", "timelords"):
        GroupMapping.objects.create(provider=made, value=group, role=built_in("Operator"))
    GroupMapping.objects.create(provider=made, value="/noc/leads", role=built_in("Lead"), region="Kanto")
    return int(made.pk)


def make_saml_provider(issuer: str, address: str, certificate: str) -> int:
    from tms.accounts.models import GroupMapping, IdentityProvider, ProviderKind
    from tms.accounts.roles import built_in

    made = IdentityProvider.objects.create(
        kind=ProviderKind.SAML,
        name="Partner account",
        slug="partner",
        issuer=issuer,
        sso_url=address,
        certificates=certificate,
        creates_people=True,
    )
    GroupMapping.objects.create(provider=made, value="noc", role=built_in("Operator"))
    return int(made.pk)

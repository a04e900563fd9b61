"""An identity provider whose group `noc` are operators: `python -m tests.e2e.identity_provider ISSUER ID SECRET`."""

import os
import sys

import django


def make_provider(issuer: str, client_id: str, secret: str, name: str = "Company account") -> int:
    from tms.accounts.models import GroupMapping, IdentityProvider
    from tms.accounts.roles import built_in

    made = IdentityProvider(
        name=name,
        slug="company",
        issuer=issuer,
        client_id=client_id,
        scopes="openid profile email groups",
        creates_people=True,
    )
    made.client_secret = secret
    made.save()
    GroupMapping.objects.create(provider=made, value="noc", role=built_in("Operator"))
    GroupMapping.objects.create(provider=made, value="/noc/leads", role=built_in("Lead"), region="Kanto")
    return int(made.pk)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    print(make_provider(*sys.argv[1:]))

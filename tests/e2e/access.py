"""People with grants, a team, a role and a service account."""

from datetime import UTC, datetime, timedelta

from tests.e2e.identity_provider import make_provider


def make_access() -> dict[str, int]:
    from tms.accounts import api_tokens
    from tms.accounts.access.grant_scopes import GrantScope
    from tms.accounts.models import Role, Team, User, WallBoard, WallScreen
    from tms.accounts.people import holdings
    from tms.accounts.people.invitations import services as invitations
    from tms.accounts.people.service_accounts import services as service_accounts
    from tms.accounts.roles import built_in
    from tms.accounts.screens import pairing
    from tms.accounts.screens import services as screens

    at, boss = datetime.now(UTC), User.objects.get(username="tanaka")
    role = Role.objects.create(name="駅係員 Station staff of partners", permissions=["handle_alerts", "write_notes"])
    team = Team.objects.create(name="夜勤 Night shift")
    email = "y.wakamatsu-shinozaki@kansai-retail.example"
    person = User.objects.create_user("y.wakamatsu", email, first_name="Yuriko", last_name="Wakamatsu-Shinozaki")
    team.members.add(person)
    holdings.give(built_in("Operator"), GrantScope("Kanto"), to=person, by=boss)
    holdings.give(built_in("Lead"), GrantScope(), to=person, by=boss)
    holdings.give(role, GrantScope(), to=person, by=boss)
    holdings.give(built_in("Viewer"), GrantScope("Kanto"), to=team, by=boss)
    invitation, _secret = invitations.invite("e.fujii@noc.example", language="en", by=boss, at=at)
    account = service_accounts.create("Warehouse export", role=built_in("Viewer"), scope=GrantScope(), by=boss)
    api_tokens.issue(account, name="production", at=at, expires_at=at + timedelta(days=200))
    issuer = "https://login.kansai-retail.example/realms/noc"
    provider = make_provider(issuer, "tms", "secret", "関西リテール Kansai Retail Holdings")
    started = pairing.start("", address="10.20.0.7", browser="Chrome/140 (Linux)", at=at)
    screen = WallScreen(name="東京NOC 左 NOC Tokyo", region="Kanto", boards=list(WallBoard), language="ja")
    return {
        "provider": provider,
        "screen": screens.pair(started.pairing, screen, by=boss, at=at).pk,
        "person": person.pk,
        "invited": invitation.person_id,
        "account": account.pk,
        "team": team.pk,
        "role": role.pk,
    }

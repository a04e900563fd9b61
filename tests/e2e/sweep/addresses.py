"""Every page: those of which there are pictures, and the others that a person can open."""

import re
from collections.abc import Mapping

from tests.e2e.busy_fleet import BusyFleet

VISITED = ("sign-in", "forgotten-password", "pairing", "not-a-link", "not-an-invitation")
"""Pages that are visited by a browser in which nobody is signed in."""
REFUSED = {
    "not-found": 404,
    "not-a-link": 404,
    "not-an-invitation": 404,
    "replay-future": 422,
    "bulk-without-alerts": 422,
}


def every_page(busy: BusyFleet, *, approval: int) -> dict[str, str]:
    """URLs by name."""
    own = busy.pages
    incident, number = own["incident"], re.findall(r"\d+", own["incident"])[0]
    return own | _of_alerts(own["alert"], incident, number) | _of_settings(own) | _of_people(own) | {
        "approval": f"/approvals/{approval}/",
        "sites": "/sites/",
        "site": "/sites/SJK/",
        "site-new": "/sites/new/",
        "site-edit": "/sites/SJK/edit/",
        "site-hours": "/sites/SJK/hours/",
        "site-close": "/sites/SJK/close/",
        "regions": "/regions/new/",
        "contacts": "/sites/SJK/contacts/",
        "no-terminals-found": "/terminals/?q=nothing-has-this",
        "terminals-of-site": "/terminals/?q=site:SJK",
        "search-actions": "/search/?q=%3E",
        "not-found": "/nothing/",
        "not-a-link": "/act/none/",
        "not-an-invitation": "/invitation/none/",
        "pairing": "/wall/",
    }  # fmt: skip


def _of_alerts(alert: str, incident: str, number: str) -> dict[str, str]:
    return {
        "resolved-alerts": "/alerts/?state=resolved",
        "snoozed-alerts": "/alerts/?state=snoozed",
        "no-alerts-found": "/alerts/?q=nothing-has-this",
        "alert-snooze": f"{alert}snooze/",
        "alert-assign": f"{alert}assign/",
        "alert-comment": f"{alert}comment/",
        "bulk-without-alerts": "/alerts/snooze/",
        "past-incidents": "/incidents/?state=past",
        "no-incidents-found": "/incidents/?q=nothing-has-this",
        "incident-snooze": f"{incident}snooze/",
        "incident-move-out": f"{incident}move-out/",
        "acknowledge-incidents": f"/incidents/acknowledge/?incident={number}",
        "merge-incidents": f"/incidents/merge/?incident={number}",
    }


def _of_settings(own: Mapping[str, str]) -> dict[str, str]:
    return {
        "availability": "/availability/",
        "availability-by-terminal": "/availability/?by=terminal",
        "send-availability": "/availability/mail/",
        "all-destinations": "/destinations/",
        "choose-destination": "/destinations/new/",
        "new-mail": "/destinations/new/email/",
        "policies": "/policies/",
        "new-policy": "/policies/new/",
        "delete-policy": f"{own['policy']}delete/",
        "rotations": "/rotations/",
        "new-rotation": "/rotations/new/",
        "delete-rotation": f"{own['rotation']}delete/",
        "new-rule-of-event": "/rules/new/event/",
    }


def _of_people(own: Mapping[str, str]) -> dict[str, str]:
    return {
        "audit": "/audit/?span=all",
        "password": "/me/password/",
        "add-app": "/me/security/app/",
        "add-passkey": "/me/security/passkey/",
        "teams": "/people/teams/",
        "new-team": "/people/teams/new/",
        "delete-team": f"{own['team']}delete/",
        "new-provider": "/people/identity-providers/new/",
        "new-saml-provider": "/people/identity-providers/new/?kind=saml",
        "disable-provider": f"{own['identity-provider']}disable/",
        "revoke-screen": f"{own['wall-screen']}revoke/",
        "new-role": "/roles/new/",
    }

"""What the demo's rules say to do about their alerts."""

from tms.alerts.models import Rule

RUNBOOKS = {
    "Offline": (
        "1. **One terminal, or all of the site?** If all are offline, suspect the line or the power. *Unaffected*, on "
        "the page of the incident, says what is ruled out.\n"
        "2. Call the site: is there light, and is the router on? Ask them to switch the router off for ten seconds.\n"
        "3. Still offline after 15 minutes: call the carrier, and write the ticket number as a comment.\n"
        "4. Line back, terminals not: send a technician."
    ),
    "Overheating": (
        "1. Call the site: is the terminal in the sun, or its fan covered?\n"
        "2. Ask them to clean the fan filter.\n"
        "3. Above 75 °C for an hour: have it switched off, and order a technician."
    ),
    "Paper low": (
        "1. Call the site: spare rolls (80 mm) are in the cabinet below.\n"
        "2. The alert resolves itself when the new roll is in."
    ),
    "Reader fault": (
        "1. Ask the site to clean the slot with a cleaning card.\n"
        "2. No better: restart the terminal when no customer uses it.\n"
        "3. Second time in a week: order a spare reader."
    ),
}


def write_runbooks() -> None:
    """Write runbooks into rules that have none."""
    for name, text in RUNBOOKS.items():
        Rule.objects.filter(name=name, runbook="").update(runbook=text)

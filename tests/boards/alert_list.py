"""The list of alerts, as a person reads it."""


def alert_ids(seen):
    return [int(element.removeprefix("alert-")) for element in seen.rows("alert-")]

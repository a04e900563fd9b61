"""The list of alerts, as shown to a person."""


def alert_ids(seen):
    return [int(element.removeprefix("alert-")) for element in seen.rows("alert-")]

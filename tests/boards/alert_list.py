"""The list of alerts, as a person reads it."""


def shown(seen):
    return [int(element.removeprefix("alert-")) for element in seen.rows("alert-")]

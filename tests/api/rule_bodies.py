"""Bodies of requests that create rules."""

ABOVE_70 = {
    "name": "Overheating",
    "name_ja": "過熱",
    "kind": "metric",
    "metric": "temperature_c",
    "comparison": "above",
    "thresholds": [{"severity": "warning", "limit": 60}, {"severity": "critical", "limit": 75}],
    "hysteresis": 3,
    "duration_s": 60,
    "site": "SJK",
    "group": "Lobby",
}

"""The life of the alerts of one terminal, in any order of events: for tests that hold in every order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.support.alerts.events import cleared, triggered
from tests.support.builders import Fleet, later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Contract

SECONDS = st.integers(1, 90)
SEVERITIES = st.sampled_from(["", "info", "warning", "critical"])
STALE_AFTER_S = 60
FLAPPING = 30, 15, 8
"""Window in seconds, high and low in percent: short, so that many runs flap."""


def shorten_times(settings) -> None:
    settings.STALE_AFTER_S = STALE_AFTER_S
    settings.FLAPPING_WINDOW_S, settings.FLAPPING_HIGH_PCT, settings.FLAPPING_LOW_PCT = FLAPPING


class Life(RuleBasedStateMachine):
    """One terminal, two rules, two people, and a clock that advances."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.terminal = fleet.online()
        self.rules = [fleet.event_rule(may_be_resolved_by_hand=True), fleet.metric_rule()]
        self.people = [fleet.person("aiko"), fleet.person("ren")]
        self.seconds = 0

    @property
    def alerts(self):
        return Alert.objects.filter(terminal=self.terminal).order_by("pk")

    def later(self, seconds: int = 1):
        self.seconds += seconds
        return later(self.seconds)

    @rule(which=st.integers(0, 1), severity=SEVERITIES, duration_s=st.sampled_from([0, 0, 30]))
    def holds(self, which: int, severity: str, duration_s: int) -> None:
        self.later()
        lifecycle.apply_events(
            [triggered(self.rules[which], self.terminal, self.seconds, severity=severity, duration_s=duration_s)]
        )

    @rule(which=st.integers(0, 1))
    def recovers(self, which: int) -> None:
        self.later()
        lifecycle.apply_events([cleared(self.rules[which], self.terminal, self.seconds)])

    @rule(which=st.integers(0, 1), times=st.integers(1, 4), stays=st.booleans())
    def comes_and_goes(self, which: int, times: int, *, stays: bool) -> None:
        for _ in range(times):
            self.holds(which, "", 0)
            self.recovers(which)
        if stays:
            self.holds(which, "", 0)

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        at = self.later(seconds)
        lifecycle.open_pending(at)
        lifecycle.expire_flapping(at)
        lifecycle.expire(at)
        lifecycle.remind(at)

    @rule(who=st.integers(0, 1), contract=st.sampled_from(Contract), seconds=SECONDS, skew_s=st.integers(-5, 0))
    def acknowledge_it(self, who: int, contract: Contract, seconds: int, skew_s: int) -> None:
        """Acknowledge by the clock of a node that may be behind."""
        self.later()
        at, until = later(self.seconds + skew_s), later(self.seconds + seconds)
        lifecycle.acknowledge(self.alerts, by=self.people[who], comment="", at=at, contract=contract, until=until)

    @rule(contract=st.sampled_from(Contract), seconds=SECONDS)
    def change_the_acknowledgement(self, contract: Contract, seconds: int) -> None:
        at, until = self.later(), later(self.seconds + seconds)
        lifecycle.change_acknowledgement(
            self.alerts, contract=contract, until=until, by=self.people[0], comment="", at=at
        )

    @rule()
    def reopen_it(self) -> None:
        lifecycle.reopen(self.alerts, by=self.people[0], comment="", at=self.later())

    @rule(seconds=SECONDS)
    def snooze_it(self, seconds: int) -> None:
        at, until = self.later(), later(self.seconds + seconds)
        lifecycle.snooze(self.alerts, until=until, by=self.people[0], comment="", at=at)

    @rule(who=st.integers(0, 1))
    def assign_it(self, who: int) -> None:
        lifecycle.assign(self.alerts, to=self.people[who], by=self.people[0], comment="", at=self.later())

    @rule(words=st.sampled_from(["on it", "waiting"]))
    def comment_on_it(self, words: str) -> None:
        lifecycle.comment(self.alerts, by=self.people[0], comment=words, at=self.later())

    @precondition(lambda self: self.alerts.unresolved().exists())
    @rule()
    def resolve_it(self) -> None:
        lifecycle.resolve(self.alerts, by=self.people[0], comment="", at=self.later())

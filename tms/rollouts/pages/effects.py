"""The effects of a rollout as rows: a measure each, with its evidence and, where it stands out, a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from tms.rollouts.pages.evidence import HOLD, EvidenceBar

LABELS: dict[str, str | Promise] = {
    "restarts": pgettext_lazy("measure", "Restarts"),
    "outages_application": pgettext_lazy("measure", "Outages, application"),
    "outages_power": pgettext_lazy("measure", "Outages, power or reboot"),
    "not_back": pgettext_lazy("measure", "Not back after the update"),
    "alerts": pgettext_lazy("measure", "Alerts"),
    "passing_faults": pgettext_lazy("measure", "Passing faults"),
    "lasting_faults": pgettext_lazy("measure", "Lasting faults, over 4 h"),
    "memory": pgettext_lazy("measure", "Memory, change in 3 h"),
    "temperature": pgettext_lazy("measure", "Temperature, change in 3 h"),
    "response_time": pgettext_lazy("measure", "Response time, change in 3 h"),
}


@dataclass(frozen=True, slots=True)
class EffectRow:
    name: str
    updated: str
    waiting: str
    terminals: str
    bar: EvidenceBar | None
    sentence: str = ""

    @property
    def label(self) -> str | Promise:
        return LABELS.get(self.name, self.name)

    @property
    def stands_out(self) -> bool:
        return self.bar is not None and self.bar.value >= HOLD


@dataclass(frozen=True, slots=True)
class Effects:
    rows: Sequence[EffectRow]
    mean: EvidenceBar | None
    foot: str = ""

"""What a version of the software does to a simulated device: the content of the artifacts of the demo."""

import msgspec


class Behaviour(msgspec.Struct, frozen=True):
    """What a version of the software does to a simulated device."""

    leaks_pct_per_hour: float = 0.0
    """Its memory grows by so much; it crashes when there is none left, and begins again."""
    install_s: float = 4.0
    fails: float = 0.0
    """The share of devices on which the installation fails."""
    lies: float = 0.0
    """The share that reports success and starts the software from before."""
    stays_away: float = 0.0
    """The share that does not come back."""

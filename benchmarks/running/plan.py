"""The sizes and durations of a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes and durations. Every system under test gets the same, unless a figure states otherwise."""

    starts_each_time: bool = True
    """Each scenario starts its own server, so that it does not inherit memory."""
    fleet: int = 5_000
    """Terminals that connect and stay idle; as many are lost at once (P11)."""
    reporting: int = 2_000
    """Terminals that report."""
    boards: int = 20
    dynamic_groups: int = 0
    """Groups that a query selects, each the scope of a rule."""
    processes: int = 2
    """Processes for terminals; one more is for the boards."""
    dials_at_once: int = 256
    warm_up_s: float = 3
    measured_s: float = 10
    settle_s: float = 3
    window: int = 2
    """Unacknowledged reports of each terminal when the server is saturated."""
    steady_per_second: float = 1_000
    light_per_second: float = 200
    change_every_s: float = 0.5
    patience_s: float = 5
    """How long to wait for changes that a board does not show yet."""

    # Frame to pixel
    report_every_s: float = 30
    """The reports of one terminal of a fleet in operation."""
    pixel_fleet: int = 10_000
    pixel_boards: int = 100
    pixel_s: float = 30
    pixel_change_every_s: float = 0.3
    alone_s: float = 6

    # Fan-out
    broadcast_boards: int = 100
    broadcast_bytes: int = 600
    broadcast_window: int = 8

    # Cost over fleet size
    scale: tuple[int, ...] = (1_000, 5_000, 20_000)
    scale_nodes: int = 2
    scale_settle_s: float = 10
    """The difference of two small shares of a core is measured, so neither may include a start."""
    scale_s: float = 30

    # Pages
    fleet_sizes: tuple[int, ...] = (100, 1_000, 10_000, 50_000)
    requests: int = 30

    # Alerts
    alerts: int = 500
    quiet_s: float = 15
    bulk_times: int = 7
    """How often all of them are acknowledged at once."""
    storm_wait_s: float = 4
    """The time until a lost terminal is offline, and again until the rule opens an alert; the defaults would only
    take longer.
    """
    storm_patience_s: float = 60


FULL = Plan()
TINY = Plan(
    starts_each_time=False,
    fleet=20,
    reporting=10,
    boards=2,
    processes=1,
    dials_at_once=4,
    warm_up_s=0.2,
    measured_s=0.5,
    settle_s=0.1,
    steady_per_second=20,
    light_per_second=10,
    change_every_s=0.2,
    report_every_s=1,
    pixel_fleet=10,
    pixel_boards=2,
    pixel_s=1.5,
    alone_s=0.5,
    broadcast_boards=2,
    scale=(5, 10),
    scale_nodes=1,
    scale_settle_s=0.1,
    scale_s=0.5,
    fleet_sizes=(20,),
    requests=2,
    alerts=5,
    quiet_s=3,  # a board gets a beat every two
    bulk_times=2,
    storm_wait_s=0.5,
)
"""A plan to check that everything works; its figures mean nothing."""

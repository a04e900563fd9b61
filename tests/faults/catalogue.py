"""Every fault, by the place in which it happens."""

from tests.faults import leader, nodes, postgresql_away, redis_away
from tests.faults.place import Several
from tests.faults.scene import Scene
from tests.faults.stage import Stage

STAGES = (
    Stage(
        lambda: Scene(Several(3, clocks=2)),
        (*nodes.FAULTS, *redis_away.FAULTS, *postgresql_away.FAULTS, *leader.FAULTS),
    ),
)

"""The peers that are measured."""

from collections.abc import Sequence

from benchmarks.peers.ocpp_node.system import OcppNode
from benchmarks.peers.ocpp_python.system import OcppPython
from benchmarks.peers.peer import Peer

PEERS: Sequence[type[Peer]] = (OcppPython, OcppNode)

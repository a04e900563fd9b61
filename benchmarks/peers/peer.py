"""What the peers have in common."""

from collections.abc import Sequence

from benchmarks.peers.installation import PATH, Installation
from benchmarks.peers.ocpp_protocol import OcppProtocol
from benchmarks.systems.system import System, python

CONNECTIONS = 30
"""The number of connections to the database. With 10, the default of both drivers, Node waits for commits, and a
quarter of its core is idle.
"""


class Peer(System):
    """A server on a library for OCPP, another protocol between devices and their server. It has no boards.

    The work is that of TMS: the credential is checked in the handshake, and each report is acknowledged after the
    transaction that updates the terminal's state and inserts the report.
    """

    protocol = OcppProtocol()
    report_table = "report"
    installation: Installation

    @property
    def env(self) -> dict[str, str]:
        return {
            "PEER_DATABASE_URL": self.database_url,
            "PEER_CONNECTIONS": str(CONNECTIONS),
            "PEER_PORT": str(self.port),
            "PATH": PATH,
        }

    @property
    def migrate(self) -> Sequence[str]:
        return python("-m", "benchmarks.peers.tables")

    @property
    def seed(self) -> Sequence[str]:
        return python("-m", "benchmarks.peers.seed")

    @classmethod
    def absence(cls) -> str:
        return cls.installation.absence()

"""`make cluster`: TMS as in production on this machine, in one command, until Ctrl-C."""

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.cluster.supervisor import Supervisor
from deploy.cluster.view import LineView, TableView, View
from deploy.processes.cluster import MOST_CLOCKS, MOST_NODES, Cluster
from deploy.processes.programs import ProgramMissing, find, find_postgresql
from deploy.processes.service import HOST, Service, StartFailed
from deploy.processes.simulator import SimulatorProcess
from deploy.processes.tms_process import ROOT

MOST_TERMINALS = 5_000
OWN_SETTINGS = {"TMS_DATABASE_URL", "TMS_REDIS_URL", "TMS_NODE", "TMS_SECRET_KEY", "TMS_DATA_DIR", "TMS_STATIC_ROOT"}
"""Settings that the cluster sets itself: it must not use a database that the environment names."""
DEFAULT_SETTINGS = {"TMS_DRAIN_SPREAD_S": "5"}
"""Defaults of the cluster: a short drain, because a person waits after Ctrl-C."""


class ClusterError(Exception):
    """An option or the machine does not fit; the message describes what is expected."""


def main() -> int:
    try:
        cluster, terminals = prepare()
    except (ClusterError, ProgramMissing) as refusal:
        print(f"TMS cannot start: {refusal}", file=sys.stderr)
        return 2
    try:
        run(cluster, terminals)
    except (StartFailed, RuntimeError) as error:
        print(f"TMS did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    finally:
        cluster.stop()
    return 0


def prepare() -> tuple[Cluster, int]:
    """Raises Refused or Missing."""
    nodes = number("N", 3, least=1, most=MOST_NODES)
    clocks = number("CLOCKS", 2, least=1, most=MOST_CLOCKS)
    terminals = number("TERMINALS", 0, least=0, most=MOST_TERMINALS)
    port = number("PORT", 8443, least=1, most=65_000)
    require_programs()
    cluster = Cluster(
        nodes,
        clocks=clocks,
        settings=DEFAULT_SETTINGS | overridden_settings(),
        folder=folder(),
        port=port,
    )
    refuse_taken_ports([*cluster.services])
    return cluster, terminals


def run(cluster: Cluster, terminals: int) -> None:
    services = [*cluster.services]
    stop_order = [*cluster.stop_order]
    for service in services:
        service.ends_with_parent = True
    print(
        f"Starting PostgreSQL, Redis, {len(cluster.clocks)} clocks, {len(cluster.nodes)} nodes and nginx …", flush=True
    )
    cluster.start()
    credentials = administrator(cluster)
    if terminals:
        simulator, credentials = start_simulator(cluster, terminals)
        services.append(simulator)
        stop_order.insert(0, [simulator])
    view = view_of(cluster, credentials)
    try:
        Supervisor(services, stop_order, view).run()
    finally:
        view.close()
        print("Stopped.")


def view_of(cluster: Cluster, credentials: str) -> View:
    title = f"TMS as in production: {cluster.url}/   sign in: {credentials}   (self-signed certificate)"
    kind = TableView if sys.stdout.isatty() else LineView
    return kind(sys.stdout, title, hints(cluster))


def hints(cluster: Cluster) -> Sequence[str]:
    return (
        f"Logs: {cluster.folder}/*/log, nginx/access.log.  Link, as a load balancer sees it: {cluster.link}",
        f"Before the command of an enrolment: export TMS_AGENT_TLS_CA_FILE={cluster.folder}/certificate/chain.pem",
        "Try it: kill -9 a node, and its terminals reconnect to another; kill -STOP the leading clock, and another",
        "one leads within ten seconds; kill -9 redis or postgresql, and no acknowledged report is lost.",
        "Ctrl-C stops everything, nodes first.",
    )


def administrator(cluster: Cluster) -> str:
    """User name and password of the first person, created at the first start and stored in the folder."""
    path = cluster.folder / "administrator"
    if not path.exists():
        password = secrets.token_urlsafe(12)
        person = ("--username", "admin", "--email", "")
        cluster.manage("createsuperuser", "--no-input", "--skip-checks", *person, DJANGO_SUPERUSER_PASSWORD=password)
        path.touch(0o600)
        path.write_text(f"admin / {password}")
    return path.read_text()


def start_simulator(cluster: Cluster, terminals: int) -> tuple[Service, str]:
    """Start a simulator of that many terminals; returns it with the user name and password of an operator."""
    fleet = cluster.folder / "demo-fleet.json"
    username, password = cluster.manage("seed_demo", str(terminals), "--fleet", str(fleet)).split()
    simulator = SimulatorProcess(
        url=cluster.link, fleet=fleet, terminals=terminals, folder=cluster.folder / "terminals"
    )
    simulator.ends_with_parent = True
    simulator.start()
    return simulator, f"{username} / {password}"


def overridden_settings() -> dict[str, str]:
    """Settings of TMS in the environment that the cluster does not set itself."""
    return {name: value for name, value in os.environ.items() if name.startswith("TMS_") and name not in OWN_SETTINGS}


def folder() -> Path:
    return Path(os.environ.get("TMS_DATA_DIR") or ROOT / "var").expanduser().absolute() / "cluster"


def number(name: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ClusterError(f"{name}={text!r}: expected a whole number from {least} to {most}")
    return int(text)


def require_programs() -> None:
    """Raises Missing."""
    for program, package in (("redis-server", "redis-server"), ("nginx", "nginx"), ("openssl", "openssl")):
        find(program, package=package)
    find_postgresql("initdb")


def refuse_taken_ports(services: Sequence[Service]) -> None:
    for service in services:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, service.port))
            except OSError:
                raise ClusterError(
                    f"port {service.port}, for {service.name}, is in use; choose others: PORT=9443 make cluster"
                ) from None


if __name__ == "__main__":
    sys.exit(main())

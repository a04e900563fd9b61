"""`make cluster`: TMS as in production on this machine, in one command, until Ctrl-C."""

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.cluster.supervisor import Supervisor
from deploy.cluster.view import Lines, Table, View
from deploy.processes.cluster import MOST_CLOCKS, MOST_NODES, Cluster
from deploy.processes.programs import Missing, find, find_postgresql
from deploy.processes.service import HOST, DidNotStart, Service
from deploy.processes.simulator import SimulatorProcess
from deploy.processes.tms_process import ROOT

MOST_TERMINALS = 5_000
MADE_HERE = {"TMS_DATABASE_URL", "TMS_REDIS_URL", "TMS_NODE", "TMS_SECRET_KEY", "TMS_DATA_DIR", "TMS_STATIC_ROOT"}
"""Settings that are the cluster's own: it must not touch a database that somebody happened to name."""
PATIENCE = {"TMS_DRAIN_SPREAD_S": "5"}
"""Ctrl-C is followed by a person who waits."""


class Refused(Exception):
    """It cannot start like this; the message says what would be right."""


def main() -> int:
    try:
        cluster, terminals = prepared()
    except (Refused, Missing) as refusal:
        print(f"TMS cannot start: {refusal}", file=sys.stderr)
        return 2
    try:
        run(cluster, terminals)
    except (DidNotStart, RuntimeError) as error:
        print(f"TMS did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    finally:
        cluster.stop()
    return 0


def prepared() -> tuple[Cluster, int]:
    """Raises Refused or Missing."""
    nodes = number("N", 3, least=1, most=MOST_NODES)
    clocks = number("CLOCKS", 2, least=1, most=MOST_CLOCKS)
    terminals = number("TERMINALS", 0, least=0, most=MOST_TERMINALS)
    port = number("PORT", 8443, least=1, most=65_000)
    require_programs()
    cluster = Cluster(
        nodes,
        clocks=clocks,
        server=os.environ.get("TMS_SERVER", "daphne"),
        settings=PATIENCE | given(),
        folder=folder(),
        port=port,
    )
    refuse_taken_ports([*cluster.services])
    return cluster, terminals


def run(cluster: Cluster, terminals: int) -> None:
    services = [*cluster.services]
    farewell = [*cluster.farewell]
    for service in services:
        service.ends_with_us = True
    print(
        f"Starting PostgreSQL, Redis, {len(cluster.clocks)} clocks, {len(cluster.nodes)} nodes and nginx …", flush=True
    )
    cluster.start()
    person = administrator(cluster)
    if terminals:
        simulator, person = populated(cluster, terminals)
        services.append(simulator)
        farewell.insert(0, [simulator])
    view = view_of(cluster, person)
    try:
        Supervisor(services, farewell, view).run()
    finally:
        view.close()
        print("Stopped.")


def view_of(cluster: Cluster, person: str) -> View:
    title = f"TMS as in production: {cluster.url}/   sign in: {person}   (the certificate is its own)"
    kind = Table if sys.stdout.isatty() else Lines
    return kind(sys.stdout, title, hints(cluster))


def hints(cluster: Cluster) -> Sequence[str]:
    return (
        f"Logs: {cluster.folder}/*/log, nginx/access.log.  Link, as a load balancer sees it: {cluster.link}",
        "To see something: kill -9 a node, and its terminals come back elsewhere; kill -STOP the clock that leads,",
        "and another one leads within ten seconds; kill -9 redis or postgresql, and nothing acknowledged is lost.",
        "Ctrl-C stops all, nodes first.",
    )


def administrator(cluster: Cluster) -> str:
    """User name and password of the first person, made at the first start and kept in the folder."""
    kept = cluster.folder / "administrator"
    if not kept.exists():
        password = secrets.token_urlsafe(12)
        cluster.manage(
            "createsuperuser", "--no-input", "--username", "admin", "--email", "", DJANGO_SUPERUSER_PASSWORD=password
        )
        kept.touch(0o600)
        kept.write_text(f"admin / {password}")
    return kept.read_text()


def populated(cluster: Cluster, terminals: int) -> tuple[Service, str]:
    """A simulator of so many terminals, running, and who may look at them."""
    fleet = cluster.folder / "demo-fleet.json"
    username, password = cluster.manage("seed_demo", str(terminals), "--fleet", str(fleet)).split()
    simulator = SimulatorProcess(
        url=cluster.link, fleet=fleet, terminals=terminals, folder=cluster.folder / "terminals"
    )
    simulator.ends_with_us = True
    simulator.start()
    return simulator, f"{username} / {password}"


def given() -> dict[str, str]:
    """What the person who starts it wants otherwise."""
    return {name: value for name, value in os.environ.items() if name.startswith("TMS_") and name not in MADE_HERE}


def folder() -> Path:
    return Path(os.environ.get("TMS_DATA_DIR") or ROOT / "var").expanduser().absolute() / "cluster"


def number(name: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise Refused(f"{name}={text!r}: expected a whole number from {least} to {most}")
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
                raise Refused(
                    f"port {service.port}, for {service.name}, is in use; choose others: PORT=9443 make cluster"
                ) from None


if __name__ == "__main__":
    sys.exit(main())

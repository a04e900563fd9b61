"""Processes of TMS as in production, on one machine: PostgreSQL, Redis, nginx, nodes and clocks, on loopback."""

from deploy.processes.clock import ClockProcess
from deploy.processes.cluster import Cluster
from deploy.processes.nginx import Nginx
from deploy.processes.node import NodeProcess
from deploy.processes.postgresql import PostgreSQL, load_sql
from deploy.processes.redis import Redis
from deploy.processes.service import HOST, Service, StartFailed, free_port

__all__ = [
    "HOST",
    "ClockProcess",
    "Cluster",
    "Nginx",
    "NodeProcess",
    "PostgreSQL",
    "Redis",
    "Service",
    "StartFailed",
    "free_port",
    "load_sql",
]

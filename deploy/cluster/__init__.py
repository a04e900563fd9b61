"""TMS as in production on one machine: PostgreSQL, Redis, nginx, nodes and clocks, private and on loopback."""

from deploy.cluster.clock import ClockProcess
from deploy.cluster.cluster import Cluster
from deploy.cluster.nginx import Nginx
from deploy.cluster.node import Node
from deploy.cluster.postgresql import PostgreSQL
from deploy.cluster.redis import Redis
from deploy.cluster.service import HOST, DidNotStart, Service, free_port

__all__ = [
    "HOST",
    "ClockProcess",
    "Cluster",
    "DidNotStart",
    "Nginx",
    "Node",
    "PostgreSQL",
    "Redis",
    "Service",
    "free_port",
]

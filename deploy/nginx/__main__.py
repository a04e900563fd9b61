"""`python -m deploy.nginx ...` writes the configuration of a machine, and prints the files that changed."""

import argparse
from pathlib import Path

from deploy.nginx.configuration import Configuration


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.nginx", description=__doc__)
    for name in ("folder", "state", "access-log", "static"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--artifacts", type=Path, help="folder of artifacts, for TMS_ARTIFACTS_BY_NGINX")
    parser.add_argument("--nodes", type=int, nargs="+", required=True, help="ports of the nodes on this host")
    parser.add_argument("--listen", required=True, help="ADDRESS:PORT for the load balancer, which terminates TLS")
    parser.add_argument("--balancers", nargs="+", required=True, help="networks of the load balancer")
    parser.add_argument("--user", default="", help="user and group of the workers: USER GROUP")
    for path in Configuration(**vars(parser.parse_args())).write():
        print(path)


if __name__ == "__main__":
    main()

"""`python -m benchmarks.peers.tables`: the tables of a peer, in the database PEER_DATABASE_URL."""

import os
from pathlib import Path

import psycopg

SCHEMA = Path(__file__).with_name("schema.sql")


def main() -> None:
    with psycopg.connect(os.environ["PEER_DATABASE_URL"]) as connection:
        connection.execute(SCHEMA.read_bytes())


if __name__ == "__main__":
    main()

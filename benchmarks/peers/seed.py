"""`python -m benchmarks.peers.seed NUMBER`: the fleet. There are no persons, so no cookie is printed."""

import os
import sys

import psycopg

from benchmarks.running.fleet import digest, uids


def main(number: int) -> None:
    with psycopg.connect(os.environ["PEER_DATABASE_URL"]) as connection:
        with connection.cursor().copy("COPY terminal (uid, digest) FROM STDIN") as copy:
            for uid in uids(number):
                copy.write_row((uid, digest(uid)))
        connection.execute("INSERT INTO terminal_state (terminal_id) SELECT id FROM terminal")


if __name__ == "__main__":
    main(int(sys.argv[1]))

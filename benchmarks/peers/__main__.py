"""`python -m benchmarks.peers`: installs the packages of the peers, and prints why one of them cannot be measured."""

from benchmarks.peers.systems import PEERS
from benchmarks.running.progress import say


def main() -> None:
    for peer in PEERS:
        peer.installation.install()
        if why := peer.absence():
            say(f"{peer.name}: {why}")


if __name__ == "__main__":
    main()

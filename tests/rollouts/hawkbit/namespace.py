"""Runs a program in a network of its own, and hands out the socket that listens there: of two swupdates in one network
the second ends, because both take the same name.

`python namespace.py CONTROL PORT PROGRAM ...`: CONTROL is the descriptor of a socket that gets the listening one.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main(control: int, port: int, command: list[str]) -> None:
    # Only root may without a user namespace.
    os.unshare(os.CLONE_NEWNET if os.geteuid() == 0 else os.CLONE_NEWUSER | os.CLONE_NEWNET)
    listening = _listen(port)
    with socket.socket(fileno=control) as given:
        socket.send_fds(given, [b"."], [listening.fileno()])
    os.execv(command[0], command)


def _listen(port: int) -> socket.socket:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
    return socket.create_server(("127.0.0.1", port), backlog=16)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])

"""`python -m tests.faults.clients.guesser URL SECONDS`: wrong passwords in 25 loops.

Prints how many answers had which status.

A separate process at a low priority: an attacker would not use the CPU of the servers. Ten loops share an address; half
of them use one person's name; the others come from another network with another name each time.
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

LOOPS = 25
AT_ONE_ADDRESS = 10
PERSON = "watcher"
TOKEN = re.compile(r'csrfmiddlewaretoken" value="(\w+)"')


class Loop:
    """Requests the form once, then submits it again after each answer."""

    def __init__(self, number: int, url: str) -> None:
        self._number = number
        self._parts = urlsplit(url)
        self._tries = itertools.count()
        self.statuses: Counter[int] = Counter()

    def run(self, until: float) -> Counter[int]:
        while time.monotonic() < until:
            try:
                self._guess(until)
            except (OSError, http.client.HTTPException):
                self.statuses[0] += 1
                time.sleep(0.1)
        return self.statuses

    def _guess(self, until: float) -> None:
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=30)
        try:
            connection.request("GET", "/sign-in/")
            answer = connection.getresponse()
            token = TOKEN.search(answer.read().decode())
            assert token is not None
            [cookie] = SimpleCookie(answer.headers["Set-Cookie"]).values()
            headers = {
                "Cookie": f"{cookie.key}={cookie.value}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
            while time.monotonic() < until:
                number = next(self._tries)
                form = {"csrfmiddlewaretoken": token[1], "username": self._name(number), "password": f"guess {number}"}
                forwarded = {"X-Forwarded-For": self._address(number)}
                connection.request("POST", "/sign-in/", urlencode(form), headers | forwarded)
                answer = connection.getresponse()
                answer.read()
                self.statuses[answer.status] += 1
        finally:
            connection.close()

    def _name(self, number: int) -> str:
        return PERSON if self._number < AT_ONE_ADDRESS // 2 else f"name-{self._number}-{number}"

    def _address(self, number: int) -> str:
        if self._number < AT_ONE_ADDRESS:
            return "203.0.113.7"
        return f"2001:db8:{self._number:x}:{number % 0x10000:x}::1"


def main(url: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(LOOPS) as threads:
        counts = list(threads.map(lambda number: Loop(number, url).run(until), range(LOOPS)))
    print(json.dumps(sum(counts, Counter())))


def yield_processors() -> None:
    """Run only when no other process is runnable.

    Linux shares processors between sessions first and between processes of one session second, so a low priority inside
    a session has no effect on the servers, which each have their own.
    """
    os.setsid()
    with contextlib.suppress(OSError):  # a kernel without autogroups
        Path("/proc/self/autogroup").write_text("19")
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    yield_processors()
    main(sys.argv[1], float(sys.argv[2]))

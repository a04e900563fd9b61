import json
import subprocess
import sys

import pytest

from tests.server.process import ServerProcess

VISITS = 20


def visit(server: ServerProcess, path: str, times: int) -> None:
    for _ in range(times):
        server.connect(path).vanish()
        server.connect(path).reset()
    server.emptied()


def garbage(server: ServerProcess) -> int:
    """Objects that only the collector can free; the check itself leaves a few."""
    count: int = json.loads(server.get("/garbage"))
    return count


def test_closed_sockets_are_freed_without_the_garbage_collector(serve):
    server = serve(options={"gc": "off"}, gc_threshold=None, gc_young_interval=0)
    left = {}

    for path in ("/echo", "/end", "/reject", "/close?code=4000", "/deny?status=401", "/consumer", "/deliver"):
        visit(server, path, 1)  # performs lazy imports
        garbage(server)
        visit(server, path, VISITS)
        left[path] = garbage(server)

    assert max(left.values()) < VISITS, f"one object or more for each visit: {left}"


def test_an_open_socket_keeps_nothing_of_its_handshake(server):
    client = server.connect("/echo")
    client.send("x")
    client.receive()

    (state,) = server.facts()["state"]

    assert len(state) <= 13
    assert not {name for name in state if name.startswith("http_") or "headers" in name}


def test_objects_loaded_before_the_first_connection_are_never_collected_again(server):
    assert server.facts()["frozen"] > 10_000


def test_full_collections_are_rare(server):
    assert server.facts()["gc_threshold"] == [50_000, 50, 100]


def test_young_objects_are_collected_periodically_even_if_there_are_few(serve):
    server = serve(gc_threshold=None, gc_young_interval=0.05)
    for _ in range(VISITS):
        server.get("/cycle")
    passes = server.facts()["gc_passes"]

    server.wait_for(lambda facts: facts["gc_passes"] > passes + 1)

    assert garbage(server) < VISITS


ARENAS = """
import ctypes, platform, sys, threading
from tms.server.memory import tune_malloc

assert tune_malloc() or platform.libc_ver()[0] != "glibc"
everyone = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (bytes(1000), everyone.wait())) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_threads_share_two_heaps():
    printed = subprocess.run([sys.executable, "-c", ARENAS], capture_output=True, text=True, check=True).stderr

    assert printed.count("Arena") <= 2


PEAK = """
import platform, resource, sys
from tms.server.memory import tune_malloc

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

assert tune_malloc() or platform.libc_ver()[0] != "glibc"
before = resident()
bytes(8 * 2**20)  # freed at once: from now on glibc, left alone, takes as much from the heap
large = [b"x" * 2**20 for _ in range(50)]
above = [bytes(600 + at) for at in range(500)]
del large
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_pages_is_returned_to_the_system():
    grown = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True).stdout

    assert int(grown) < 10 * 2**20

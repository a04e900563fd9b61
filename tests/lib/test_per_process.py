"""Objects of which each process has exactly one."""

import os
import threading

from tms.lib.per_process import PerProcess


def test_concurrent_threads_get_the_same_object():
    barrier = threading.Barrier(8)
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    one = PerProcess(make)
    seen: list[object] = []

    def ask() -> None:
        barrier.wait()
        seen.append(one())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert set(map(id, seen)) == {id(made[0])}


def test_after_a_reset_there_is_a_new_object():
    one = PerProcess(object)
    before = one()

    one.reset()

    assert one() is not before
    assert one() is one()


def test_a_forked_child_has_its_own_objects():
    from tms.feed.publisher import feed

    publisher = feed().publisher
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(writing, feed().publisher.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)

    assert os.read(reading, 100).decode() not in ("", publisher)
    assert feed().publisher == publisher
    os.close(reading)

import pytest

from benchmarks.profile import Stack, format_report, read_stacks, weighed

RAW = [
    "thread (7): MainThread;go (m.py:1);_worker (concurrent/futures/thread.py:70) 900",
    "thread (7): MainThread;go (m.py:1);_send (tms/ingest/session.py:5);encode (x/site-packages/twisted/f.py:3) 60",
    "thread (9): ingest_0;go (m.py:1);write (tms/ingest/commit.py:52);execute (x/site-packages/psycopg/cursor.py:9) 40",
]


def test_waiting_threads_are_left_out():
    assert [(stack.weight, stack.thread) for stack in read_stacks(RAW)] == [(60, 7), (40, 9)]


def test_time_belongs_to_the_innermost_frame_of_a_known_group():
    text = format_report([Stack(("run (manage.py:1)", "execute (psycopg/cursor.py:9)", "pack (lib.py:1)"), 10)])

    assert "| statements: psycopg | 100.0% |" in text


def test_functions_of_tms_are_reported_with_their_callees():
    text = format_report(list(read_stacks(RAW)))

    assert "| _send (tms/ingest/session.py:5) | 60.0% |" in text
    assert "| execute (psycopg/cursor.py:9) | 40.0% |" in text


def test_a_thread_that_looks_busy_has_at_most_its_cpu_time():
    busy, waiting = read_stacks(RAW)

    of_cpu = weighed([busy, waiting, waiting, Stack(("gone",), 5, thread=11)], {7: 0.9, 9: 0.1})

    assert [stack.weight for stack in of_cpu] == pytest.approx([0.9, 0.05, 0.05])


def test_threads_of_a_pool_are_reported_as_one():
    text = format_report(list(read_stacks(RAW)))

    assert "| ingest | 40.0% |" in text

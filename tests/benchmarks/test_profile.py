from benchmarks.profile import Stack, read_stacks, told

RAW = [
    "run (manage.py:1);_worker (concurrent/futures/thread.py:70) 900",
    "run (manage.py:1);_send (tms/ingest/session.py:5);encode (/x/site-packages/autobahn/frame.py:3) 60",
    "run (manage.py:1);write (tms/ingest/store.py:52);execute (/x/site-packages/psycopg/cursor.py:9) 40",
]


def test_what_waits_is_left_out():
    assert [stack.samples for stack in read_stacks(RAW)] == [60, 40]


def test_time_belongs_to_the_innermost_frame_of_a_known_group():
    text = told([Stack(("run (manage.py:1)", "execute (psycopg/cursor.py:9)", "pack (lib.py:1)"), 10)])

    assert "| statements: psycopg | 100.0% |" in text


def test_functions_of_tms_are_told_with_what_they_call():
    text = told(list(read_stacks(RAW)))

    assert "| _send (tms/ingest/session.py:5) | 60.0% |" in text
    assert "| execute (psycopg/cursor.py:9) | 40.0% |" in text

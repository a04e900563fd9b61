"""A file of errors that several processes share."""

import json
import logging
import multiprocessing

from tests.ops.production import python
from tms.ops.error_log import ErrorLog

PROCESSES, LINES = 3, 200
spawning = multiprocessing.get_context("spawn")


def write(path: str, name: str) -> None:
    log = ErrorLog(path, most_bytes=1_000, backups=10_000)
    for number in range(LINES):
        log.handle(logging.makeLogRecord({"msg": f"{name}-{number}"}))
    log.close()


def test_no_line_is_lost_when_several_processes_rotate_the_file(tmp_path):
    path = tmp_path / "errors.log"
    names = [f"p{number}" for number in range(PROCESSES)]
    started = [spawning.Process(target=write, args=(str(path), name)) for name in names]

    for process in started:
        process.start()
    for process in started:
        process.join()

    written = sorted(line for file in tmp_path.glob("errors.log*") for line in file.read_text().splitlines())
    assert written == sorted(f"{name}-{number}" for name in names for number in range(LINES))


def test_it_is_limited_in_size_and_number_of_older_files(tmp_path):
    log = ErrorLog(str(tmp_path / "errors.log"), most_bytes=100, backups=2)

    for number in range(50):
        log.handle(logging.makeLogRecord({"msg": f"{number:09}"}))
    log.close()

    assert sorted(file.name for file in tmp_path.iterdir()) == ["errors.log", "errors.log.1", "errors.log.2"]
    assert all(file.stat().st_size <= 100 for file in tmp_path.iterdir())


def test_a_file_that_was_moved_away_is_created_again(tmp_path):
    path = tmp_path / "errors.log"
    log = ErrorLog(str(path))
    log.handle(logging.makeLogRecord({"msg": "before"}))
    path.rename(tmp_path / "moved")

    log.handle(logging.makeLogRecord({"msg": "after"}))
    log.close()

    assert path.read_text() == "after\n"


def test_no_file_is_opened_before_the_first_error(tmp_path):
    ErrorLog(str(tmp_path / "errors.log")).close()

    assert list(tmp_path.iterdir()) == []


SAY = """
import django; django.setup()
import structlog
log = structlog.get_logger("tests")
log.warning("only_on_the_console")
log.error("in_the_file_too")
"""


def test_a_process_writes_its_errors_there_and_everything_to_the_console(tmp_path):
    path = tmp_path / "errors.log"

    done = python(tmp_path / "data", "-c", SAY, TMS_ERROR_LOG=str(path), TMS_LOG_FORMAT="json")

    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["in_the_file_too"]
    assert "only_on_the_console" in done.stderr

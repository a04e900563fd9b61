"""`.ci/run` distinguishes a race from a failure."""

from pathlib import Path

import pytest

from tests.suite import MOST_FLAKY, MOST_RERUN, Pass, PassResult, conclude, run
from tests.support.pytest_plugins.collecting import MARK

TESTS = Path(__file__).parent
HERE = Pass("here", "not absent")


@pytest.fixture(autouse=True)
def _only_the_plugin_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading all of them takes longer than the tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def suite(folder: Path, *tests: str) -> PassResult:
    """The result of a suite of these tests, each the body of a function. `once()` is true the first time only."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = absent\n")
    (folder / "test_made.py").write_text(
        "from pathlib import Path\n"
        "def once(name):\n"
        "    mark = Path(__file__).with_name(name)\n"
        "    return not mark.exists() and mark.write_text('x')\n"
        + "".join(f"def test_{number}():\n    {body}\n" for number, body in enumerate(tests))
    )
    where = ("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), str(folder))
    return run(HERE, folder / "cache", "-q", "-p", "xdist", *where, workers="0")


def test_a_test_that_passes_alone_is_flaky_and_one_that_fails_twice_is_broken(tmp_path):
    event = suite(tmp_path, "assert True", "assert not once('raced')", "assert False")

    assert event == PassResult(["test_made.py::test_1"], ["test_made.py::test_2"])


def test_many_failures_are_not_a_race(tmp_path, capfd):
    event = suite(tmp_path, *["assert False"] * (MOST_RERUN + 1))

    assert len(event.broken) == MOST_RERUN + 1
    assert "Again" not in capfd.readouterr().out


def test_a_suite_that_cannot_be_collected_is_not_a_race(tmp_path):
    assert not conclude([suite(tmp_path, "this is no Python")])


@pytest.mark.parametrize(
    ("results", "passed"),
    [
        ([PassResult(), PassResult()], True),
        ([PassResult(["a"]), PassResult(["b"])], True),
        ([PassResult(["a"]), PassResult(["b", "c"])], False),
        ([PassResult(broken=["a"]), PassResult()], False),
        ([PassResult(is_complete=False), PassResult()], False),
    ],
)
def test_few_flaky_tests_do_not_fail_the_run_and_each_is_named(results, passed, capsys):
    assert conclude(results) is passed

    message = capsys.readouterr().out
    assert all(f"FLAKY {name}\n" in message for each in results for name in each.flaky)
    assert all(f"BROKEN {name}\n" in message for each in results for name in each.broken)
    assert MOST_FLAKY == 2


def test_the_marks_of_the_second_pass_stand_in_the_files_that_have_its_tests():
    """Other files are not imported then, so a mark that a conftest.py adds would go unnoticed."""
    assert [path for path in TESTS.rglob("conftest.py") if MARK.search(path.read_text())] == []

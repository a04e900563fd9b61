from benchmarks.agent import disk


def test_bytes_and_commits_are_counted_for_each_case(tmp_path):
    figures = dict(disk.measure(tmp_path, 30, ""))

    assert len(figures) == 2 * len(disk.CASES)
    assert figures["a report in 30 s, no link: commits a report"] >= 0.9
    assert figures["a report in 30 s, acknowledged after 100 ms: commits a report"] == 0

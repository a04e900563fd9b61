import pytest

from tms.boards.replay.links import address_without_instant, with_instant

AT = "at=2026-11-27T18:12:00Z&range=8h"
ADDED = AT.replace("&", "&amp;")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="/">', f'<a href="/?{ADDED}">'),
        ('<a href="/alerts/">', f'<a href="/alerts/?{ADDED}">'),
        ('<a href="/alerts/?site=SJK&amp;q=a#row">', f'<a href="/alerts/?site=SJK&amp;q=a&amp;{ADDED}#row">'),
        ('<a class="x" href="/terminals/SJK-KSK-03/">', f'<a class="x" href="/terminals/SJK-KSK-03/?{ADDED}">'),
        ('<a href="?span=7d">', f'<a href="?span=7d&amp;{ADDED}">'),
        ('<a href="/alerts/7/">', f'<a href="/alerts/7/?{ADDED}">'),
        ('<a href="/incidents/7/">', f'<a href="/incidents/7/?{ADDED}">'),
    ],
)
def test_links_to_pages_that_can_be_replayed_keep_the_instant(before, after):
    assert with_instant(before, AT) == after


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/terminals/?q=site:SJK">',
        '<a href="/alerts/past/">',
        '<a href="/incidents/7/post-mortem/">',
        '<a href="/terminals/SJK-KSK-03/series/">',
        '<a href="/terminals/SJK-KSK-03/?at=2026-11-27T18:00:00Z&amp;range=1h">',
        '<a href="/?site=SJK&amp;at=2026-11-27T18:00:00Z">',
        '<a href="#main">',
        '<a href="https://example.com/">',
        '<form action="/alerts/">',
        'title="a href=&quot;/&quot;"',
    ],
)
def test_other_links_stay(link):
    assert with_instant(link, AT) == link


def test_the_address_of_the_present_has_the_other_parameters():
    assert address_without_instant("/alerts/?site=SJK&at=now&range=1h&zone=UTC") == "/alerts/?site=SJK"
    assert address_without_instant("/?at=now") == "/"

"""Boards are notified when a site opens and closes."""

from datetime import time

import pytest

from tests.support.builders import later
from tms.fleet.models.opening_hours import OpeningHours
from tms.fleet.sites.hours_watcher import SiteHoursWatcher

pytestmark = pytest.mark.both

HOUR = 3600


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified_once_when_a_site_opens_and_when_it_closes(fleet, feed_recorder):
    """Open from 19:00 to 20:00 in Tokyo, where AT is 18:00."""
    OpeningHours.objects.create(site=fleet.site(), weekday=2, opens_at=time(19), closes_at=time(20))
    fleet.site("ALL")
    watcher = SiteHoursWatcher()

    published = []
    for seconds in (0, 120, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 2 * HOUR, 2 * HOUR + 120):
        watcher.notify_changes(later(seconds))
        published.append(feed_recorder.change().everything)

    assert published == [False, False, False, True, False, False, True, False]


@pytest.mark.django_db(transaction=True)
def test_hours_that_were_edited_shortly_before_a_site_closes_are_noticed(fleet, feed_recorder):
    watcher, site = SiteHoursWatcher(), fleet.site()
    watcher.notify_changes(later(-30))
    OpeningHours.objects.create(site=site, weekday=2, opens_at=time(9), closes_at=time(18))

    watcher.notify_changes(later(30))

    assert feed_recorder.change().everything


@pytest.mark.django_db(transaction=True)
def test_a_site_that_opened_before_this_process_led_is_noticed(fleet, feed_recorder):
    OpeningHours.objects.create(site=fleet.site(), weekday=2, opens_at=time(19), closes_at=time(20))

    SiteHoursWatcher().notify_changes(later(HOUR + 5))

    assert feed_recorder.change().everything


@pytest.mark.django_db(transaction=True)
def test_later_changes_of_hours_are_noticed(fleet, feed_recorder):
    watcher, site = SiteHoursWatcher(), fleet.site()
    watcher.notify_changes(later(0))
    OpeningHours.objects.create(site=site, weekday=2, opens_at=time(19), closes_at=time(20))

    watcher.notify_changes(later(60))
    watcher.notify_changes(later(HOUR))

    assert feed_recorder.change().everything

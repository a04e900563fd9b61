"""The variables of the deployment manual."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from tms.config import aliases

MANUAL = {
    "DB_HOST": "db.internal:5432",
    "DB_NAME": "tms",
    "DB_USER": "tms",
    "DB_PASSWORD": "p@ss:/word",
    "S3_BUCKET": "tms-static",
    "REDIS_HOST": "redis.internal:6379",
    "SECRET_KEY": "key",
}
OURS = {
    "TMS_DATABASE_URL": "postgres://tms:p%40ss%3A%2Fword@db.internal:5432/tms",
    "TMS_STATIC_BUCKET": "tms-static",
    "TMS_REDIS_URL": "redis://redis.internal:6379/0",
    "TMS_SECRET_KEY": "key",
}


@pytest.mark.parametrize(
    ("environment", "becomes"),
    [
        (MANUAL, OURS),
        ({}, {}),
        (MANUAL | dict.fromkeys(OURS, "ours"), dict.fromkeys(OURS, "ours")),
        ({"SECRET_KEY": "key", "TMS_SECRET_KEY_FILE": "/run/key"}, {"TMS_SECRET_KEY_FILE": "/run/key"}),
    ],
)
def test_an_alias_is_used_if_our_own_name_is_not_set(environment, becomes):
    environment = dict(environment)

    aliases.apply(environment)

    assert {name: value for name, value in environment.items() if name.startswith("TMS_")} == becomes


def test_an_incomplete_set_of_database_aliases_is_refused():
    with pytest.raises(ImproperlyConfigured, match="DB_NAME, DB_PASSWORD: not set"):
        aliases.apply({"DB_HOST": "db", "DB_USER": "tms"})

"""What a production TMS refuses, with the expected values."""

import os
import subprocess
from pathlib import Path
from random import Random

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management.base import CommandError

from tests.ops.production import VALID_ENVIRONMENT, manage
from tms.accounts.models import User
from tms.demo.people import PEOPLE
from tms.ops import checks

ON_AWS = {
    "TMS_STATIC_BUCKET": "tms-1-static",
    "TMS_STATIC_URL": "https://static.tms.example.com/static/",
    "TMS_CLOUDWATCH_LOG_GROUP": "tms-application",
    "TMS_CLOUDWATCH_NAMESPACE": "TMS",
}


def check_deploy(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "static").mkdir()
    (folder / "static" / "staticfiles.json").touch()
    return manage(folder, "check", "--deploy", "--fail-level", "WARNING", **env)


@pytest.mark.services
def test_a_valid_production_environment_has_no_findings(tmp_path):
    """Django queries the database for its supported column types."""
    done = check_deploy(tmp_path, **VALID_ENVIRONMENT | {"TMS_DATABASE_URL": os.environ["TMS_DATABASE_URL"]})

    assert (done.stderr, done.returncode) == ("", 0)
    assert "no issues" in done.stdout


def test_an_empty_production_environment_reports_every_variable_at_once(tmp_path):
    done = manage(tmp_path / "nowhere", "check", "--deploy", TMS_PRODUCTION="1")

    assert done.returncode == 1
    for name in sorted(VALID_ENVIRONMENT.keys() - {"TMS_PRODUCTION", "TMS_TRUSTED_ORIGINS"}):
        assert name in done.stderr


def test_an_unavailable_database_is_reported_in_one_line(tmp_path):
    done = manage(tmp_path, "nodes", TMS_DATABASE_URL="postgres://tms@127.0.0.1:1/tms?connect_timeout=1")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("TMS cannot use its database: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"TMS_CLOUDWATCH_NAMESPACE": "TMS"}, "TMS_CLOUDWATCH_NAMESPACE: AWS_REGION is not set; set the region"),
        (
            {"TMS_SECRET_KEY_FILE": "/nowhere/key"},
            "TMS_SECRET_KEY_FILE=/nowhere/key: No such file or directory; set a file",
        ),
    ],
    ids=["no region", "no file"],
)
def test_an_invalid_value_stops_every_command_with_one_line(tmp_path, env, message):
    done = manage(tmp_path, "check", **env)

    assert done.returncode == 1
    assert done.stderr.startswith(f"TMS cannot start: {message}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.services
def test_a_valid_environment_on_aws_with_its_secret_in_a_file_has_no_findings_either(tmp_path):
    key = tmp_path / "key"
    key.write_text(VALID_ENVIRONMENT["TMS_SECRET_KEY"] + "\n")
    files = {"TMS_SECRET_KEY_FILE": str(key), "TMS_ERROR_LOG": str(tmp_path / "errors.log")}
    database = {"TMS_DATABASE_URL": os.environ["TMS_DATABASE_URL"], "AWS_REGION": "ap-northeast-1"}
    env = VALID_ENVIRONMENT | ON_AWS | database | files
    del env["TMS_SECRET_KEY"]

    done = check_deploy(tmp_path, **env)

    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("command", ["serve", "clock"])
def test_a_process_of_an_unsafe_production_exits_at_once_with_a_clear_error(tmp_path, command):
    (tmp_path / "static").mkdir()

    done = manage(tmp_path, command, TMS_PRODUCTION="1", TMS_DEBUG="1")

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: TMS refuses to start in production:\n  TMS_DEBUG=1")
    assert "TMS_DATABASE_URL names no PostgreSQL database" in done.stderr


def test_a_demo_refuses_production_before_it_touches_the_database(tmp_path):
    (tmp_path / "static").mkdir()

    done = manage(tmp_path, "demo", **VALID_ENVIRONMENT)

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: this is production (TMS_PRODUCTION=1), and a demo has administrators")


@pytest.fixture
def sound(settings, tmp_path):
    """The settings of a valid production environment."""
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.SECRET_KEY = VALID_ENVIRONMENT["TMS_SECRET_KEY"]
    settings.ALLOWED_HOSTS = ["tms.example.com", ".tms.example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://noc.example.com"]
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/16"]
    settings.HTTPS_ONLY = True
    settings.REDIS_URL = VALID_ENVIRONMENT["TMS_REDIS_URL"]
    settings.DATABASE_URL = "postgres://db.example.com/tms?sslmode=verify-full"
    settings.STATIC_URL = "https://static.tms.example.com/static/"
    settings.STATIC_BUCKET = "tms-1-static"
    settings.DATABASE_SECRET = "rds!db-tms"
    settings.ERROR_LOG = str(tmp_path / "errors.log")
    settings.CLOUDWATCH_LOG_GROUP = "tms-application"
    settings.CLOUDWATCH_NAMESPACE = "TMS"
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").touch()
    return settings


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("DEBUG", True, "TMS_DEBUG=1"),
        ("SECRET_KEY", "", "TMS_SECRET_KEY is not set"),
        ("SECRET_KEY", "short", "TMS_SECRET_KEY is too short"),
        ("SECRET_KEY", "ab" * 40, "TMS_SECRET_KEY is too short or too uniform"),
        ("SECRET_KEY", "abcde" * 11, "TMS_SECRET_KEY is too short or too uniform"),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz" * 2, "TMS_SECRET_KEY is too short or too uniform"),
        ("SECRET_KEY", f"django-insecure-{VALID_ENVIRONMENT['TMS_SECRET_KEY']}", "TMS_SECRET_KEY is too short or too"),
        ("ALLOWED_HOSTS", [], "TMS_ALLOWED_HOSTS is not set"),
        ("ALLOWED_HOSTS", ["*"], "TMS_ALLOWED_HOSTS=*"),
        ("ALLOWED_HOSTS", [".com"], "TMS_ALLOWED_HOSTS=.com"),
        ("ALLOWED_HOSTS", [".amazonaws.com"], "TMS_ALLOWED_HOSTS=.amazonaws.com"),
        ("ALLOWED_HOSTS", [".ap-northeast-1.elb.amazonaws.com"], "TMS_ALLOWED_HOSTS=.ap-northeast-1.elb"),
        ("REDIS_URL", "", "TMS_REDIS_URL"),
        ("DATABASE_URL", "sqlite:////var/lib/tms/tms.sqlite3", "TMS_DATABASE_URL"),
        ("HTTPS_ONLY", False, "TMS_HTTPS_ONLY=0"),
        ("TRUSTED_PROXIES", [], "TMS_TRUSTED_PROXIES is not set"),
        ("TRUSTED_PROXIES", ["nginx"], "TMS_TRUSTED_PROXIES=nginx is not an address"),
        ("TRUSTED_PROXIES", ["0.0.0.0/0"], "TMS_TRUSTED_PROXIES=0.0.0.0/0 trusts every address"),
        ("TRUSTED_PROXIES", ["0.0.0.0/1", "10.0.0.1", "128.0.0.0/1"], "TMS_TRUSTED_PROXIES=0.0.0.0/0 trusts every"),
        ("TRUSTED_PROXIES", ["::/1", "8000::/1"], "TMS_TRUSTED_PROXIES=::/0 trusts every address"),
        ("TRUSTED_PROXIES", ["127.0.0.1", "0.0.0.0/1"], "TMS_TRUSTED_PROXIES=0.0.0.0/1 trusts more"),
        ("CSRF_TRUSTED_ORIGINS", ["http://noc.example.com"], "TMS_TRUSTED_ORIGINS=http://noc.example.com"),
        ("CSRF_TRUSTED_ORIGINS", ["https://*.example.com"], "TMS_TRUSTED_ORIGINS=https://*.example.com"),
        ("STATIC_ROOT", "/nowhere", "TMS_STATIC_ROOT=/nowhere"),
        ("STATIC_URL", "http://static.example.com/static/", "TMS_STATIC_URL=http://static.example.com"),
        ("STATIC_URL", "https://static.example.com/static", "TMS_STATIC_URL=https://static.example.com/static is"),
        ("STATIC_URL", "https://*.example.com/", "TMS_STATIC_URL=https://*.example.com"),
        ("STATIC_URL", "/static/", "TMS_STATIC_BUCKET is set"),
        ("DATABASE_URL", VALID_ENVIRONMENT["TMS_DATABASE_URL"], "TMS_DATABASE_URL holds a password"),
        ("ERROR_LOG", "/nowhere/errors.log", "TMS_ERROR_LOG=/nowhere/errors.log cannot be written"),
        ("CLOUDWATCH_LOG_GROUP", "tms application", "TMS_CLOUDWATCH_LOG_GROUP=tms application"),
        ("CLOUDWATCH_NAMESPACE", "AWS/TMS", "TMS_CLOUDWATCH_NAMESPACE=AWS/TMS"),
        ("CLOUDWATCH_NAMESPACE", "tms metrics", "TMS_CLOUDWATCH_NAMESPACE=tms metrics"),
    ],
)
def test_each_problem_names_its_variable_and_the_expected_value(sound, setting, value, message):
    setattr(sound, setting, value)

    faults = checks.production(None)

    assert len(faults) == 1
    assert message in faults[0].msg
    assert faults[0].hint


def test_private_networks_and_random_keys_of_any_alphabet_are_accepted(sound):
    sound.TRUSTED_PROXIES = ["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "fc00::/7"]

    for alphabet in ("0123456789", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz"):
        sound.SECRET_KEY = "".join(Random(7).choices(alphabet, k=50))
        assert checks.production(None) == []


@pytest.mark.django_db
def test_an_account_of_the_demo_with_its_password_is_refused(sound):
    for one in PEOPLE:
        User.objects.create_user(one.username, password=one.password)
    User.objects.create_user("tanaka", password=PEOPLE[0].password)
    User.objects.filter(username=PEOPLE[1].username).update(is_active=False)

    with pytest.raises(CommandError) as refused:
        checks.refuse_unsafe()

    assert str(refused.value).count("published password") == 1
    assert "`manage.py changepassword demo`" in str(refused.value)
    User.objects.filter(username="demo").update(password=make_password("another password"))
    checks.refuse_unsafe()


@pytest.mark.django_db
def test_a_valid_production_starts(sound):
    checks.refuse_unsafe()

    assert checks.production(None) == []


@pytest.mark.django_db
def test_an_unsafe_production_does_not_start_and_reports_all_problems(sound):
    sound.DEBUG = True
    sound.REDIS_URL = ""

    with pytest.raises(CommandError) as refused:
        checks.refuse_unsafe()

    assert "TMS_DEBUG=1" in str(refused.value)
    assert "TMS_REDIS_URL is not set" in str(refused.value)


def test_the_embedded_default_starts_and_check_deploy_warns(settings):
    settings.PRODUCTION = False

    checks.refuse_unsafe()

    assert [fault.id for fault in checks.production(None)] == ["tms.W001"]

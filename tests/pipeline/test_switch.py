"""Migrations, rollouts and rollbacks on machines that keep running, on an emulated AWS with Run Command."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from deploy.aws import client
from deploy.pipeline import alarms, run_command, switch
from deploy.pipeline.__main__ import main
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling
from tests.support.database import next_telemetry
from tests.support.servers.aws import Moto

QUICK = Polling(interval_s=0.01, timeout_s=5)
RELEASES = ("1.0.0", "1.1.0", "1.2.0")


@pytest.fixture
def serving(aws: Moto) -> Machines:
    """Two machines with 1.1.0, the newest of two good releases; 1.2.0 is published."""
    machines = Machines()
    client("s3").create_bucket(
        Bucket=machines.bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    for release in RELEASES:
        checksum = f"0123  tms-{release}.tar.gz\n".encode()
        client("s3").put_object(Bucket=machines.bucket, Key=f"tms-{release}.tar.gz.sha256", Body=checksum)
    client("ec2").create_launch_template(
        LaunchTemplateName="tms-app", LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.medium"}
    )
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=machines.group,
        LaunchTemplate={"LaunchTemplateName": "tms-app", "Version": "1"},
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        AvailabilityZones=["ap-northeast-1a"],
    )
    machines.set_current("1.1.0")
    for release in RELEASES[:2]:
        machines.good.mark(release)
    return machines


class RunCommand:
    """The client of Systems Manager, with results to choose. The emulator gives each command to all machines."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, list[str]]] = []
        """Document, release, and the machines."""
        self.results: dict[str, Any] = {}
        """Machine → its result instead of Success."""

    def client(self, service: str) -> Any:
        made = client(service)
        send, ask = made.send_command, made.get_command_invocation

        def record(**asked: Any) -> Any:
            self.sent.append((asked["DocumentName"], asked["Parameters"]["release"][0], asked["InstanceIds"]))
            return send(**asked)

        made.send_command = record
        made.get_command_invocation = lambda **asked: ask(**asked) | self.results.get(asked["InstanceId"], {})
        return made


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    commands = RunCommand()
    monkeypatch.setattr(run_command, "client", commands.client)
    return commands


def test_migrations_run_on_one_serving_machine_before_the_rollout(serving, commands):
    assert main(["migrate", "ec2", "1.2.0", "--every", "0.01"]) == 0

    assert commands.sent == [("tms-migrate", "1.2.0", serving.serving()[:1])]


def test_without_a_machine_no_migration_is_needed(serving, commands, capsys):
    client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=serving.group, DesiredCapacity=0)

    assert main(["migrate", "ec2", "1.2.0"]) == 0

    assert commands.sent == []
    assert "the first one creates the tables" in capsys.readouterr().out


def test_a_rollout_without_new_machines_installs_on_all_machines_and_switches_one_after_the_other(serving, commands):
    first, second = serving.serving()

    assert main(["roll-out", "ec2", "1.2.0", "--in-place", "--every", "0.01"]) == 0

    assert commands.sent == [
        ("tms-install", "1.2.0", [first, second]),
        ("tms-install", "1.2.0", [first]),
        ("tms-switch", "1.2.0", [first]),
        ("tms-install", "1.2.0", [second]),
        ("tms-switch", "1.2.0", [second]),
    ]
    assert (serving.current(), serving.good.next()) == ("1.2.0", "")


def test_a_machine_that_fails_stops_the_rollout_and_new_machines_keep_the_old_release(serving, commands, capsys):
    first, _ = serving.serving()
    commands.results[first] = {
        "Status": "Failed",
        "StandardErrorContent": "x\nlock timeout\n1.2.0 does not run; back on 1.1.0\n",
    }

    assert main(["roll-out", "ec2", "1.2.0", "--in-place", "--every", "0.01"]) == 1

    assert "lock timeout / 1.2.0 does not run; back on 1.1.0" in capsys.readouterr().err
    assert serving.current() == "1.1.0"


def test_a_rollout_that_ended_half_way_is_rolled_back_to_where_it_came_from(serving, commands):
    first, second = serving.serving()
    switch.roll_out(serving, "1.2.0", QUICK)
    serving.set_current("1.1.0")
    serving.good.set_next("1.2.0")  # as if it had been ended before its last step

    assert main(["roll-back", "ec2", "--every", "0.01"]) == 0

    assert commands.sent[-1] == ("tms-rollback", "1.1.0", [first, second])
    assert (serving.current(), serving.good.next()) == ("1.1.0", "")
    assert serving.good.all() == ["1.1.0", "1.0.0"]


def test_a_rollback_reaches_every_machine_also_if_one_fails(serving, commands, capsys):
    first, second = serving.serving()
    commands.results[first] = {"Status": "TimedOut", "StatusDetails": "DeliveryTimedOut"}

    assert main(["roll-back", "ec2", "--every", "0.01"]) == 1

    assert f"{first}: TimedOut: DeliveryTimedOut" in capsys.readouterr().err
    assert serving.current() == "1.0.0"  # a machine that replaces it installs the right one
    assert commands.sent == [("tms-install", "1.0.0", [first, second])]


def test_a_machine_that_the_group_ended_meanwhile_is_left_out(serving, commands, monkeypatch):
    first, second = serving.serving()
    commands.results[first] = {"Status": "Undeliverable"}
    answers = iter([[first, second], [first, second], [second]])
    monkeypatch.setattr(Machines, "serving", lambda self: next(answers, [second]))

    switch.roll_out(serving, "1.2.0", QUICK)

    assert [those for name, _, those in commands.sent if name == "tms-switch"] == [[second]]


def test_a_guard_alarm_stops_the_rollout_unless_it_fired_before(serving, monkeypatch):
    ringing = [["tms-server-errors"], ["tms-server-errors", "tms-high-cpu-usage"], ["tms-silent-terminals"]]
    monkeypatch.setattr(alarms, "firing", lambda name: ringing.pop(0))

    with pytest.raises(DeploymentFailed, match="tms-silent-terminals fires since the rollout began"):
        switch.roll_out(serving, "1.2.0", QUICK)

    assert serving.current() == "1.1.0"


@pytest.mark.parametrize(("rings", "code"), [([], 0), (["tms-reports-waiting"], 1), (["tms-server-errors"], 0)])
def test_a_release_is_watched_before_it_counts_as_good(rings, code, monkeypatch):
    monkeypatch.setattr(alarms, "firing", lambda name: rings)
    monkeypatch.setattr(alarms, "BAKE_S", 0.03)

    assert main(["watch", "--before", "tms-server-errors", "--every", "0.01"]) == code


BEFORE_NOTES = {"telemetry": "0001_initial"}


@pytest.fixture
def notes(settings) -> None:
    """This checkout is a later release: older ones cannot write its reports."""
    settings.MIGRATION_MODULES = dict(next_telemetry.MODULES)


@pytest.mark.usefixtures("notes")
def test_a_release_that_is_too_old_for_the_tables_is_no_target_of_a_rollback(serving, commands, capsys):
    bucket = {"Bucket": serving.bucket, "Key": "schemas/1.0.0.json"}
    client("s3").put_object(**bucket, Body=json.dumps(BEFORE_NOTES).encode())
    for arguments in (["mark-good", "ec2", "1.1.0"], ["migrate", "ec2", "1.2.0"]):
        assert main([*arguments, "--every", "0.01"]) == 0
    serving.set_current("1.1.0")

    assert main(["roll-back", "ec2", "--every", "0.01"]) == 1
    refused = capsys.readouterr().err
    assert main(["roll-back", "ec2", "--any-tables", "--every", "0.01"]) == 0

    assert "1.0.0 is too old for the tables of 1.2.0" in refused
    assert serving.current() == "1.0.0"


@pytest.mark.usefixtures("notes")
def test_no_migration_runs_that_would_break_the_current_release(serving, commands, capsys):
    bucket = {"Bucket": serving.bucket, "Key": "schemas/1.1.0.json"}
    client("s3").put_object(**bucket, Body=json.dumps(BEFORE_NOTES).encode())

    assert main(["migrate", "ec2", "1.2.0", "--every", "0.01"]) == 1

    assert "1.1.0 would not work with the tables of 1.2.0" in capsys.readouterr().err
    assert commands.sent == []


@pytest.mark.parametrize("release", ["1.1.0; reboot", "$(id)", "../1.1.0", ""])
def test_an_invalid_version_reaches_no_machine(release, serving, commands):
    with pytest.raises(DeploymentFailed, match="is not a version"):
        run_command.run("tms", "install", release, serving.serving(), QUICK)

    assert commands.sent == []


def test_a_command_is_not_known_for_a_moment_after_it_was_sent(monkeypatch):
    ssm = client("ssm")
    stubber = Stubber(ssm)
    stubber.add_response("send_command", {"Command": {"CommandId": "0" * 36}})
    stubber.add_client_error("get_command_invocation", "InvocationDoesNotExist", "not yet", 400)
    stubber.add_response("get_command_invocation", {"Status": "InProgress"})
    stubber.add_response("get_command_invocation", {"Status": "Success"})
    monkeypatch.setattr(run_command, "client", lambda service: ssm)

    with stubber:
        run_command.run("tms", "switch", "1.1.0", ["i-0123456789abcdef0"], QUICK)

    stubber.assert_no_pending_responses()


def test_two_machines_are_deployed_within_ten_minutes_of_the_plan():
    assert switch.planned_s(2) <= 600

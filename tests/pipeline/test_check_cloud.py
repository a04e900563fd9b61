"""The checks of the checklist that need AWS: an account as Terraform leaves it, and one mistake each."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploy.aws import client
from deploy.check import __main__ as command
from deploy.check.aws import cloud, fleet, pages, traffic
from deploy.check.aws.alarms import ALARMS
from deploy.check.result import Check, CheckResult, CheckStatus, Text, run_check
from deploy.check.target import CheckTarget
from deploy.pipeline import __main__ as pipeline
from deploy.processes.tms_process import ROOT
from tests.support.servers.aws import Moto

NOTHING = Text("", "")
CHECKS = (
    cloud.network,
    cloud.security_groups,
    cloud.rds,
    cloud.alarms,
    pages.subscriptions,
    cloud.no_new_alarms,
    cloud.logs,
    cloud.metrics,
    fleet.connected,
    fleet.acknowledged,
    cloud.firewall,
    cloud.scaling,
    traffic.hosts,
    traffic.errors,
)


emulated = cache(client)
"""A client for the set-up: to make one takes longer than to call AWS once."""


def result_of(run: Callable[[CheckTarget], Text], target: CheckTarget | None = None) -> CheckResult:
    return run_check(Check(NOTHING, run, NOTHING), target or CheckTarget())


@pytest.fixture
def account(aws: Moto) -> Moto:
    """An account as Terraform leaves it, with TMS running."""
    ec2 = emulated("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", "tms-vpc"))["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.0.{block}.0/24",
            AvailabilityZone=f"ap-northeast-1{zone}",
            TagSpecifications=tagged("subnet", f"tms-{kind}-subnet-{number}"),
        )["Subnet"]["SubnetId"]
        for kind, number, block, zone in (
            ("public", 1, 1, "a"),
            ("public", 2, 2, "c"),
            ("private", 1, 10, "a"),
            ("private", 2, 11, "c"),
        )
    ]
    groups = {
        name: ec2.create_security_group(GroupName=f"tms-{name}-security-group", Description=name, VpcId=vpc)["GroupId"]
        for name in ("alb", "app", "db")
    }
    open_to_all(groups["alb"], 443)
    balancer = emulated("elbv2").create_load_balancer(
        Name="tms-application-lb", Subnets=subnets[:2], SecurityGroups=[groups["alb"]]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    guard(balancer)
    register_machines(vpc, balancer)
    make_database(subnets)
    make_alarms(*ALARMS)
    make_topics()
    make_group(ec2)
    send_logs_and_metrics()
    return aws


def tagged(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def open_to_all(group: str, port: int) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    emulated("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def guard(balancer: str) -> None:
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "tms-waf"}
    acl = emulated("wafv2").create_web_acl(
        Name="tms-web-acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=seen
    )["Summary"]["ARN"]
    emulated("wafv2").associate_web_acl(WebACLArn=acl, ResourceArn=balancer)


def register_machines(vpc: str, balancer: str) -> None:
    ec2, elb = emulated("ec2"), emulated("elbv2")
    started = ec2.run_instances(ImageId="ami-12345678", MinCount=2, MaxCount=2)["Instances"]
    group = elb.create_target_group(Name="tms-target-group", Protocol="HTTP", Port=8000, VpcId=vpc)
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": each["InstanceId"]} for each in started])


def make_database(subnets: list[str]) -> None:
    rds = emulated("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="tms", DBSubnetGroupDescription="private", SubnetIds=subnets[2:])
    rds.create_db_instance(
        DBInstanceIdentifier="tms-database",
        Engine="postgres",
        EngineVersion="17.2",
        DBInstanceClass="db.t3.medium",
        AllocatedStorage=100,
        MasterUsername="tms_admin",
        MasterUserPassword="never-used-by-anybody",
        MultiAZ=True,
        StorageEncrypted=True,
        PubliclyAccessible=False,
        DBSubnetGroupName="tms",
    )


def make_alarms(*names: str) -> None:
    for name in names:
        emulated("cloudwatch").put_metric_alarm(
            AlarmName=f"tms-{name}",
            Namespace="TMS",
            MetricName="ActiveTerminals",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
            AlarmActions=["arn:aws:sns:ap-northeast-1:123456789012:tms-alerts"],
        )


def make_topics() -> None:
    sns = emulated("sns")
    for severity in pages.SEVERITIES:
        topic = sns.create_topic(Name=f"tms-alerts-{severity}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+819012345678")


def make_group(ec2: Any) -> None:
    ec2.create_launch_template(LaunchTemplateName="tms-app", LaunchTemplateData={"ImageId": "ami-12345678"})
    groups = emulated("autoscaling")
    groups.create_auto_scaling_group(
        AutoScalingGroupName="tms-autoscaling-group",
        LaunchTemplate={"LaunchTemplateName": "tms-app", "Version": "$Latest"},
        MinSize=0,
        MaxSize=10,
        DesiredCapacity=0,
        AvailabilityZones=["ap-northeast-1a"],
    )
    groups.put_scaling_policy(
        AutoScalingGroupName="tms-autoscaling-group",
        PolicyName="tms-cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 60,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        },
    )


def send_logs_and_metrics() -> None:
    logs = emulated("logs")
    logs.create_log_group(logGroupName="tms-application")
    logs.create_log_stream(logGroupName="tms-application", logStreamName="node-1")
    event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "started"}
    logs.put_log_events(logGroupName="tms-application", logStreamName="node-1", logEvents=[event])
    send_metric("ActiveTerminals", 120)
    send_metric("AckSeconds", 0.02)


def send_metric(name: str, value: float) -> None:
    emulated("cloudwatch").put_metric_data(Namespace="TMS", MetricData=[{"MetricName": name, "Value": value}])


def test_an_account_as_terraform_leaves_it_passes(account):
    found = {run.__name__: result_of(run) for run in CHECKS}

    assert {name: one.text.en for name, one in found.items() if one.status is not CheckStatus.PASSED} == {}
    assert "4 subnets in ap-northeast-1a, ap-northeast-1c" in found["network"].text.en
    assert "tms-cpu" in found["scaling"].text.ja
    assert "120" in found["metrics"].text.en


def no_action() -> None:
    client("cloudwatch").disable_alarm_actions(AlarmNames=["tms-nodes-lost"])


def open_database() -> None:
    groups = client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["tms-db-security-group"]}]
    )
    open_to_all(groups["SecurityGroups"][0]["GroupId"], 5432)


def modify_database(**settings: Any) -> None:
    client("rds").modify_db_instance(DBInstanceIdentifier="tms-database", ApplyImmediately=True, **settings)


def rename_subnet() -> None:
    ec2 = client("ec2")
    found = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["tms-public-subnet-1"]}])["Subnets"]
    ec2.create_tags(Resources=[found[0]["SubnetId"]], Tags=[{"Key": "Name", "Value": "of-somebody-else"}])


MISTAKES = {
    "public database": (cloud.rds, lambda: modify_database(PubliclyAccessible=True), "PubliclyAccessible is True"),
    "one zone": (cloud.rds, lambda: modify_database(MultiAZ=False), "MultiAZ is False"),
    "open database": (cloud.security_groups, open_database, "open to the internet: tms-db-security-group"),
    "mute alarm": (cloud.alarms, no_action, "no action: tms-nodes-lost"),
    "missing alarm": (
        cloud.alarms,
        lambda: client("cloudwatch").delete_alarms(AlarmNames=["tms-clock-lag"]),
        "missing: tms-clock-lag",
    ),
    "loud alarm": (
        cloud.no_new_alarms,
        lambda: client("cloudwatch").set_alarm_state(
            AlarmName="tms-server-errors", StateValue="ALARM", StateReason="a test"
        ),
        "new alarms: tms-server-errors",
    ),
    "no WAF": (
        cloud.firewall,
        lambda: client("wafv2").disassociate_web_acl(ResourceArn=cloud.balancer(CheckTarget())),
        "not tms-web-acl",
    ),
    "no policy": (
        cloud.scaling,
        lambda: client("autoscaling").delete_policy(AutoScalingGroupName="tms-autoscaling-group", PolicyName="tms-cpu"),
        "has no scaling policy",
    ),
    "no log group": (
        cloud.logs,
        lambda: client("logs").delete_log_group(logGroupName="tms-application"),
        "AWS returned ResourceNotFoundException",
    ),
    "no subnet": (cloud.network, rename_subnet, "missing: tms-public-subnet-1"),
}


def test_each_mistake_fails_and_is_named(account):
    found = {}
    for name, (run, make, _) in MISTAKES.items():
        make()
        found[name] = result_of(run)

    assert {name for name, one in found.items() if one.status is not CheckStatus.FAILED} == set()
    for name, (_, _, returned) in MISTAKES.items():
        assert returned in found[name].text.en


def test_a_recipient_that_did_not_confirm_is_named(aws, monkeypatch):
    """The emulator confirms every subscription."""
    make_topics()
    waits = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "noc@example.com"}
    monkeypatch.setattr(pages, "client", lambda service: stubbed(client(service), waits))

    found = result_of(pages.subscriptions)

    assert (found.status, found.text.en) == (CheckStatus.FAILED, "not confirmed: noc@example.com")


def stubbed(sns: Any, subscription: dict[str, str]) -> Any:
    stub = Stubber(sns)
    stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [subscription | {"Owner": "", "TopicArn": ""}]})
    stub.activate()
    return sns


def test_a_test_page_is_sent_to_the_recipients_of_critical_alarms(aws, capsys):
    make_topics()

    assert command.main(["page"]) == 0

    assert "every recipient of critical alarms must get it" in capsys.readouterr().out


def ring(*names: str) -> None:
    make_alarms(*names)
    for name in names:
        client("cloudwatch").set_alarm_state(AlarmName=f"tms-{name}", StateValue="ALARM", StateReason="a test")


RANG = [
    (frozenset({"tms-server-errors"}), CheckStatus.PASSED, "no new alarms; active before: tms-server-errors"),
    (frozenset(), CheckStatus.FAILED, "new alarms: tms-server-errors"),
    (None, CheckStatus.SKIPPED, "unknown which were active before"),
]


@pytest.mark.parametrize(("before", "status", "returned"), RANG)
def test_an_alarm_from_before_the_deployment_does_not_block_its_fix(before, status, returned, aws):
    ring("server-errors")

    found = result_of(cloud.no_new_alarms, CheckTarget(alarms_before=before))

    assert (found.status, returned in found.text.en) == (status, True)


def test_an_alarm_that_no_deployment_causes_does_not_count(aws):
    ring("backup-missing")

    assert result_of(cloud.no_new_alarms).status is CheckStatus.PASSED


def test_the_pipeline_records_the_active_alarms(aws, capsys):
    assert pipeline.main(["alarms"]) == 0
    ring("server-errors", "clock-lag")
    assert pipeline.main(["alarms"]) == 0

    assert capsys.readouterr().out.splitlines() == ["none", "tms-clock-lag,tms-server-errors"]


@pytest.mark.parametrize(
    ("before", "status"),
    [(120, CheckStatus.PASSED), (126, CheckStatus.PASSED), (127, CheckStatus.FAILED), (None, CheckStatus.PASSED)],
)
def test_95_percent_of_the_terminals_are_connected_again(before, status, aws):
    send_metric("ActiveTerminals", 120)

    assert result_of(fleet.connected, CheckTarget(terminals_before=before)).status is status


def test_a_release_that_acknowledges_no_report_fails(aws):
    nothing_connected = result_of(fleet.acknowledged)
    send_metric("ActiveTerminals", 120)

    assert [nothing_connected.status, result_of(fleet.acknowledged).status] == [CheckStatus.PASSED, CheckStatus.FAILED]


def test_the_pipeline_records_the_connected_terminals(aws, capsys):
    assert pipeline.main(["terminals"]) == 0
    send_metric("ActiveTerminals", 120)
    assert pipeline.main(["terminals"]) == 0

    assert capsys.readouterr().out.splitlines() == ["unknown", "120"]


def say_to_the_balancer(metric: str, *values: float, at: datetime | None = None) -> None:
    name = cloud.balancer(CheckTarget()).partition(":loadbalancer/")[2]
    point = {"MetricName": metric, "Dimensions": [{"Name": "LoadBalancer", "Value": name}], "Unit": "Count"}
    point["Timestamp"] = (at or datetime.now(UTC)).replace(second=0, microsecond=0)
    client("cloudwatch").put_metric_data(
        Namespace="AWS/ApplicationELB", MetricData=[point | {"Value": value} for value in values]
    )


@pytest.mark.parametrize(("errors", "status"), [([9.0, 10.0], CheckStatus.PASSED), ([20.0, 1.0], CheckStatus.FAILED)])
def test_errors_are_counted_at_the_load_balancer_per_minute(errors, status, account):
    at = datetime.now(UTC)
    for metric, value in zip(("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"), errors, strict=True):
        say_to_the_balancer(metric, value, at=at)

    assert result_of(traffic.errors).status is status


def test_an_unhealthy_host_is_named(account, monkeypatch):
    elb = client("elbv2")
    ids = [{"Target": {"Id": f"i-{number}"}, "TargetHealth": {"State": state}} for number, state in STATES]
    elb.describe_target_health = lambda **_: {"TargetHealthDescriptions": ids}
    monkeypatch.setattr(traffic, "client", lambda service: elb if service == "elbv2" else client(service))

    found = result_of(traffic.hosts)

    assert (found.status, found.text.en) == (CheckStatus.FAILED, "i-2 is unhealthy")


STATES = [(1, "healthy"), (2, "unhealthy"), (3, "draining")]


@pytest.mark.parametrize(
    ("p95", "status"), [(0.4, CheckStatus.PASSED), (0.6, CheckStatus.FAILED), (None, CheckStatus.SKIPPED)]
)
def test_latency_is_measured_at_the_load_balancer(p95, status, aws, monkeypatch):
    points = [{"Timestamp": datetime.now(UTC), "ExtendedStatistics": {"p95": p95}}] if p95 else []
    monkeypatch.setattr(traffic, "points", lambda *_, **asked: points)

    assert result_of(traffic.latency).status is status


def test_an_empty_page_of_a_log_is_not_its_end(aws, monkeypatch):
    """CloudWatch searches in parts, and may find nothing in the first."""
    logs = client("logs")
    stubber = Stubber(logs)
    stubber.add_response("filter_log_events", {"events": [], "nextToken": "more"})
    stubber.add_response("filter_log_events", {"events": [{"message": "started"}]})
    monkeypatch.setattr(cloud, "client", lambda service: logs)

    with stubber:
        assert result_of(cloud.logs).status is CheckStatus.PASSED

    stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation"])
def test_missing_permissions_are_reported_and_are_no_failure(code, monkeypatch):
    logs = client("logs")
    stubber = Stubber(logs)
    stubber.add_client_error("filter_log_events", code, "User: deploy is not authorized", 400)
    monkeypatch.setattr(cloud, "client", lambda service: logs)

    with stubber:
        found = result_of(cloud.logs)

    assert found == CheckResult(
        CheckStatus.DENIED,
        Text(
            f"not allowed to read: AWS returned {code} to FilterLogEvents", f"参照権限がない: FilterLogEvents に {code}"
        ),
    )


NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}
SERVICES = {"elbv2": "elasticloadbalancing", "elasticloadbalancingv2": "elasticloadbalancing"}
"""boto3's name of a service, and that of IAM."""


def test_the_role_of_the_pipeline_may_read_everything_in_the_checklist(account):
    asked: set[str] = set()
    events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]

    def note(model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        asked.add(f"{SERVICES.get(service, service)}:{model.name}")

    events.register("before-call", note)
    try:
        for run in (*CHECKS, traffic.latency):
            result_of(run)
    finally:
        events.unregister("before-call", note)

    missing = {action for action in asked - NEEDS_NO_PERMISSION if f'"{action}"' not in GITHUB}
    assert len(asked) > 10
    assert missing == set()


GITHUB = (ROOT / "deploy/terraform/github.tf").read_text()


def test_without_credentials_no_check_of_aws_passes(monkeypatch, tmp_path):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the client caches its credentials
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    found = {result_of(run) for run in CHECKS}

    assert found == {CheckResult(CheckStatus.SKIPPED, Text("needs AWS credentials", "AWS の認証情報が必要"))}

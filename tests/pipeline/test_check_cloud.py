"""The lines of the checklist that only AWS can answer: an account as Terraform leaves it, and one mistake each."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from deploy.aws import client
from deploy.check import cloud
from deploy.check.alarms import ALARMS
from deploy.check.line import Line, Mark, Outcome, Text, outcome
from deploy.check.place import Place
from tests.emulated import Moto

NOTHING = Text("", "")
LINES = (
    cloud.network,
    cloud.security_groups,
    cloud.rds,
    cloud.alarms,
    cloud.quiet,
    cloud.logs,
    cloud.metrics,
    cloud.firewall,
    cloud.scaling,
)


def looked(look: Callable[[Place], Text]) -> Outcome:
    return outcome(Line(NOTHING, look, NOTHING), Place())


@pytest.fixture
def account(aws: Moto) -> Moto:
    """As Terraform leaves it, with TMS running."""
    ec2 = client("ec2")
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
    balancer = client("elbv2").create_load_balancer(
        Name="tms-application-lb", Subnets=subnets[:2], SecurityGroups=[groups["alb"]]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    guard(balancer)
    make_database(subnets)
    make_alarms()
    make_group(ec2)
    tell_logs_and_metrics()
    return aws


def tagged(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def open_to_all(group: str, port: int) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def guard(balancer: str) -> None:
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "tms-waf"}
    acl = client("wafv2").create_web_acl(
        Name="tms-web-acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=seen
    )["Summary"]["ARN"]
    client("wafv2").associate_web_acl(WebACLArn=acl, ResourceArn=balancer)


def make_database(subnets: list[str]) -> None:
    rds = client("rds")
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


def make_alarms(*, besides: str = "") -> None:
    for name in ALARMS:
        if name != besides:
            client("cloudwatch").put_metric_alarm(
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


def make_group(ec2: Any) -> None:
    ec2.create_launch_template(LaunchTemplateName="tms-app", LaunchTemplateData={"ImageId": "ami-12345678"})
    groups = client("autoscaling")
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


def tell_logs_and_metrics() -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="tms-application")
    logs.create_log_stream(logGroupName="tms-application", logStreamName="node-1")
    event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "started"}
    logs.put_log_events(logGroupName="tms-application", logStreamName="node-1", logEvents=[event])
    metric = {"MetricName": "ActiveTerminals", "Value": 120, "Unit": "Count"}
    client("cloudwatch").put_metric_data(Namespace="TMS", MetricData=[metric])


def test_an_account_as_terraform_leaves_it_is_ticked(account):
    found = {look.__name__: looked(look) for look in LINES}

    assert {name: one.found.en for name, one in found.items() if one.mark is not Mark.PASSED} == {}
    assert "4 subnets in ap-northeast-1a, ap-northeast-1c" in found["network"].found.en
    assert "tms-cpu" in found["scaling"].found.ja
    assert "120" in found["metrics"].found.en


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
    "open database": (cloud.security_groups, open_database, "open to everybody: tms-db-security-group"),
    "missing alarm": (
        cloud.alarms,
        lambda: client("cloudwatch").delete_alarms(AlarmNames=["tms-clock-lag"]),
        "missing: tms-clock-lag",
    ),
    "mute alarm": (cloud.alarms, no_action, "these tell nobody: tms-nodes-lost"),
    "loud alarm": (
        cloud.quiet,
        lambda: client("cloudwatch").set_alarm_state(
            AlarmName="tms-server-errors", StateValue="ALARM", StateReason="a test"
        ),
        "in alarm: tms-server-errors",
    ),
    "no WAF": (
        cloud.firewall,
        lambda: client("wafv2").disassociate_web_acl(ResourceArn=cloud.balancer(Place())),
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
        "AWS says ResourceNotFoundException",
    ),
    "no subnet": (cloud.network, rename_subnet, "missing: tms-public-subnet-1"),
}


@pytest.mark.parametrize(("look", "make", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_crossed_and_named(look, make, told, account):
    make()

    found = looked(look)

    assert found.mark is Mark.FAILED
    assert told in found.found.en


def test_without_credentials_nothing_of_aws_is_called_good(monkeypatch, tmp_path):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers who it was
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    found = {looked(look) for look in LINES}

    assert found == {Outcome(Mark.UNSEEN, Text("needs AWS credentials", "AWS の認証情報が必要"))}

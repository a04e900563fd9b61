"""What AWS says of itself. Without credentials none of it can be seen, and nothing of it is called good."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from deploy.aws import client, code_of
from deploy.check.alarms import ALARMS, NOT_ALLOWED, UNRELATED
from deploy.check.result import Denied, Text, Unseen, Wrong
from deploy.check.target import Place

LATELY = timedelta(minutes=15)
MOST_PAGES = 50
"""Of a log, each of which may be empty although later ones are not."""
NOWHERE = "0.0.0.0/0"

type Look = Callable[[Place], Text]


def in_aws(look: Look) -> Look:
    """Without credentials, or without the right to look, a line is neither ticked nor crossed."""

    @wraps(look)
    def looking(place: Place) -> Text:
        try:
            return look(place)
        except (NoCredentialsError, NoRegionError):
            raise Unseen("needs AWS credentials", "AWS の認証情報が必要") from None
        except ClientError as error:
            if code_of(error) in NOT_ALLOWED:
                raise not_allowed(error) from None
            raise Wrong(f"AWS says {code_of(error)}", f"AWS の応答: {code_of(error)}") from None
        except BotoCoreError as error:
            raise Unseen(f"AWS cannot be reached: {error}", f"AWS に接続できない: {error}") from None

    return looking


def not_allowed(error: ClientError) -> Denied:
    """With the permission that is missing, as IAM writes it."""
    what = error.operation_name
    return Denied(
        f"not allowed to read: AWS answers {code_of(error)} to {what}", f"参照権限がない: {what} に {code_of(error)}"
    )


@in_aws
def network(place: Place) -> Text:
    ec2 = client("ec2")
    networks = ec2.describe_vpcs(Filters=tagged(f"{place.name}-vpc"))["Vpcs"]
    if not networks:
        raise Wrong(f"there is no {place.name}-vpc", f"{place.name}-vpc がない")
    wanted = [f"{place.name}-{kind}-subnet-{number}" for kind in ("public", "private") for number in (1, 2)]
    inside = [{"Name": "vpc-id", "Values": [networks[0]["VpcId"]]}]
    found = {name_of(one): one["AvailabilityZone"] for one in ec2.describe_subnets(Filters=inside)["Subnets"]}
    if missing := [name for name in wanted if name not in found]:
        raise Wrong(f"missing: {', '.join(missing)}", f"不足: {'、'.join(missing)}")
    zones = {found[name] for name in wanted}
    if len(zones) < 2:
        raise Wrong(f"all subnets are in {zones}", f"サブネットがすべて {zones} にある")
    return Text(
        f"{place.name}-vpc with 4 subnets in {', '.join(sorted(zones))}",
        f"{place.name}-vpc、4 サブネット ({'、'.join(sorted(zones))})",
    )


@in_aws
def security_groups(place: Place) -> Text:
    """Only what stands at the front may be reached from everywhere."""
    groups = client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{place.name}-*"]}])
    named = {group["GroupName"]: group for group in groups["SecurityGroups"]}
    if f"{place.name}-db-security-group" not in named:
        raise Wrong(f"there is no {place.name}-db-security-group", f"{place.name}-db-security-group がない")
    is_front = ("alb", "lb", "front")
    wide = [name for name, group in named.items() if is_open(group) and not any(word in name for word in is_front)]
    if wide:
        raise Wrong(f"open to everybody: {', '.join(wide)}", f"全世界に開いている: {'、'.join(wide)}")
    return Text(
        f"{len(named)} groups; none but the front's is open to everybody",
        f"{len(named)} グループ、フロント以外は非公開",
    )


def is_open(group: Any) -> bool:
    ranges = (one["CidrIp"] for rule in group["IpPermissions"] for one in rule.get("IpRanges", []))
    return NOWHERE in ranges


@in_aws
def rds(place: Place) -> Text:
    [instance] = client("rds").describe_db_instances(DBInstanceIdentifier=f"{place.name}-database")["DBInstances"]
    if instance["DBInstanceStatus"] != "available":
        raise Wrong(f"its state is {instance['DBInstanceStatus']}", f"状態が {instance['DBInstanceStatus']}")
    for setting, right in {"MultiAZ": True, "StorageEncrypted": True, "PubliclyAccessible": False}.items():
        if bool(instance.get(setting)) is not right:
            raise Wrong(f"{setting} is {instance.get(setting)}", f"{setting} が {instance.get(setting)}")
    told = f"{instance['DBInstanceClass']}, PostgreSQL {instance['EngineVersion']}"
    return Text(f"available, Multi-AZ, encrypted, private: {told}", f"稼働中、マルチ AZ、暗号化、非公開: {told}")


@in_aws
def alarms(place: Place) -> Text:
    pages = client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{place.name}-")
    found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    wanted = [f"{place.name}-{alarm}" for alarm in ALARMS]
    if missing := [name for name in wanted if name not in found]:
        raise Wrong(f"missing: {', '.join(missing)}", f"不足: {'、'.join(missing)}")
    if mute := [name for name in wanted if not found[name]["AlarmActions"] or not found[name]["ActionsEnabled"]]:
        raise Wrong(f"these tell nobody: {', '.join(mute)}", f"通知先がない: {'、'.join(mute)}")
    return Text(
        f"all {len(wanted)} alarms are there and tell somebody", f"{len(wanted)} 個すべてのアラームがあり、通知先もある"
    )


@in_aws
def quiet(place: Place) -> Text:
    """No alarm rings that did not ring before the deployment: else the cure of one could never be deployed."""
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{place.name}-", StateValue="ALARM")
    )
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    loud = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
    if not loud:
        return Text("no alarm rings", "発報中のアラームなし")
    if place.alarms_before is None:
        told = ", ".join(loud)
        raise Unseen(f"{told}; not known which rang before", f"{told}。以前から発報中かは不明")
    new = [name for name in loud if name not in place.alarms_before and not is_unrelated(place, name)]
    if new:
        raise Wrong(f"began to ring: {', '.join(new)}", f"新たに発報: {'、'.join(new)}")
    return Text(
        f"none began to ring; rings already: {', '.join(loud)}", f"新たな発報なし (以前から: {'、'.join(loud)})"
    )


def is_unrelated(place: Place, alarm: str) -> bool:
    return alarm.removeprefix(f"{place.name}-") in UNRELATED


@in_aws
def logs(place: Place) -> Text:
    group = f"{place.name}-application"
    since = int((datetime.now(UTC) - LATELY).timestamp() * 1000)
    if not any(events_since(group, since)):
        raise Wrong(f"{group} got nothing for 15 minutes", f"{group} に 15 分間ログがない")
    return Text(f"{group} gets events", f"{group} にログが届いている")


def events_since(group: str, since: int) -> Iterator[Any]:
    """CloudWatch searches a part at a time, and answers with an empty page and a token until it has found something."""
    token: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = client("logs").filter_log_events(logGroupName=group, startTime=since, limit=1, **token)
        yield from page["events"]
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


@in_aws
def metrics(place: Place) -> Text:
    now = datetime.now(UTC)
    points = client("cloudwatch").get_metric_statistics(
        Namespace="TMS",
        MetricName="ActiveTerminals",
        StartTime=now - LATELY,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    if not points:
        raise Wrong("TMS/ActiveTerminals got nothing for 15 minutes", "TMS/ActiveTerminals に 15 分間データがない")
    newest = max(points, key=lambda point: point["Timestamp"])
    return Text(f"TMS/ActiveTerminals is {newest['Maximum']:g}", f"TMS/ActiveTerminals は {newest['Maximum']:g}")


@in_aws
def firewall(place: Place) -> Text:
    name = f"{place.name}-web-acl"
    acl = client("wafv2").get_web_acl_for_resource(ResourceArn=balancer(place)).get("WebACL")
    if not acl or acl["Name"] != name:
        raise Wrong(
            f"the load balancer has {acl and acl['Name']}, not {name}",
            f"ALB の Web ACL が {name} ではなく {acl and acl['Name']}",
        )
    return Text(
        f"{name} with {len(acl['Rules'])} rules stands before the load balancer",
        f"{name} ({len(acl['Rules'])} ルール) が ALB に適用済み",
    )


def balancer(place: Place) -> str:
    found = client("elbv2").describe_load_balancers(Names=[f"{place.name}-application-lb"])["LoadBalancers"]
    return str(found[0]["LoadBalancerArn"])


@in_aws
def scaling(place: Place) -> Text:
    """Of whichever there is: an Auto Scaling group, or a service of ECS."""
    group = f"{place.name}-autoscaling-group"
    groups = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    if groups:
        policies = client("autoscaling").describe_policies(AutoScalingGroupName=group)["ScalingPolicies"]
        return scaled(group, [policy["PolicyName"] for policy in policies])
    service = f"service/{place.name}-cluster/{place.name}-serve"
    found = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs", ResourceId=service)
    return scaled(service, [policy["PolicyName"] for policy in found["ScalingPolicies"]])


def scaled(what: str, policies: list[str]) -> Text:
    if not policies:
        raise Wrong(f"{what} has no scaling policy", f"{what} にスケーリングポリシーがない")
    return Text(f"{what} follows {', '.join(policies)}", f"{what}: {'、'.join(policies)}")


def tagged(name: str) -> list[dict[str, Any]]:
    return [{"Name": "tag:Name", "Values": [name]}]


def name_of(resource: Any) -> str:
    return next((str(tag["Value"]) for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")

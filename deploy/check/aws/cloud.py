"""Checks of resources in AWS. Without credentials they are skipped, never passed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from deploy.aws import Resource, client, code_of
from deploy.check.aws.alarms import ALARMS, NOT_ALLOWED, UNRELATED
from deploy.check.result import Denied, Failed, Skipped, Text
from deploy.check.target import CheckTarget

RECENT = timedelta(minutes=15)
MOST_PAGES = 50
"""The number of pages of a log search; a page may be empty although later ones are not."""
ANYWHERE = "0.0.0.0/0"

type Run = Callable[[CheckTarget], Text]


def reads_aws(run: Run) -> Run:
    """Skip the check without credentials; deny it without the permission."""

    @wraps(run)
    def checked(target: CheckTarget) -> Text:
        try:
            return run(target)
        except (NoCredentialsError, NoRegionError):
            raise Skipped("needs AWS credentials", "AWS の認証情報が必要") from None
        except ClientError as error:
            if code_of(error) in NOT_ALLOWED:
                raise not_allowed(error) from None
            raise Failed(f"AWS returned {code_of(error)}", f"AWS の応答: {code_of(error)}") from None
        except BotoCoreError as error:
            raise Skipped(f"AWS cannot be reached: {error}", f"AWS に接続できない: {error}") from None

    return checked


def not_allowed(error: ClientError) -> Denied:
    """Name the missing permission as IAM does."""
    what = error.operation_name
    return Denied(
        f"not allowed to read: AWS returned {code_of(error)} to {what}",
        f"参照権限がない: {what} に {code_of(error)}",
    )


@reads_aws
def network(target: CheckTarget) -> Text:
    ec2 = client("ec2")
    networks = ec2.describe_vpcs(Filters=tagged(f"{target.name}-vpc"))["Vpcs"]
    if not networks:
        raise Failed(f"there is no {target.name}-vpc", f"{target.name}-vpc がない")
    wanted = [f"{target.name}-{kind}-subnet-{number}" for kind in ("public", "private") for number in (1, 2)]
    in_vpc = [{"Name": "vpc-id", "Values": [networks[0]["VpcId"]]}]
    found = {name_of(one): one["AvailabilityZone"] for one in ec2.describe_subnets(Filters=in_vpc)["Subnets"]}
    if missing := [name for name in wanted if name not in found]:
        raise Failed(f"missing: {', '.join(missing)}", f"不足: {'、'.join(missing)}")
    zones = {found[name] for name in wanted}
    if len(zones) < 2:
        raise Failed(f"all subnets are in {zones}", f"サブネットがすべて {zones} にある")
    return Text(
        f"{target.name}-vpc with 4 subnets in {', '.join(sorted(zones))}",
        f"{target.name}-vpc、4 サブネット ({'、'.join(sorted(zones))})",
    )


@reads_aws
def security_groups(target: CheckTarget) -> Text:
    """The security groups: only the load balancer may be open to every address."""
    groups = client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{target.name}-*"]}])
    named = {group["GroupName"]: group for group in groups["SecurityGroups"]}
    if f"{target.name}-db-security-group" not in named:
        raise Failed(f"there is no {target.name}-db-security-group", f"{target.name}-db-security-group がない")
    front_words = ("alb", "lb", "front")
    open_groups = [
        name for name, group in named.items() if is_open(group) and not any(word in name for word in front_words)
    ]
    if open_groups:
        raise Failed(f"open to the internet: {', '.join(open_groups)}", f"全世界に開いている: {'、'.join(open_groups)}")
    return Text(
        f"{len(named)} groups; only the load balancer's is open to the internet",
        f"{len(named)} グループ、フロント以外は非公開",
    )


def is_open(group: Resource) -> bool:
    ranges = (one["CidrIp"] for rule in group["IpPermissions"] for one in rule.get("IpRanges", []))
    return ANYWHERE in ranges


@reads_aws
def rds(target: CheckTarget) -> Text:
    [instance] = client("rds").describe_db_instances(DBInstanceIdentifier=f"{target.name}-database")["DBInstances"]
    if instance["DBInstanceStatus"] != "available":
        raise Failed(f"its state is {instance['DBInstanceStatus']}", f"状態が {instance['DBInstanceStatus']}")
    for setting, expected in {"MultiAZ": True, "StorageEncrypted": True, "PubliclyAccessible": False}.items():
        if bool(instance.get(setting)) is not expected:
            raise Failed(f"{setting} is {instance.get(setting)}", f"{setting} が {instance.get(setting)}")
    details = f"{instance['DBInstanceClass']}, PostgreSQL {instance['EngineVersion']}"
    return Text(f"available, Multi-AZ, encrypted, private: {details}", f"稼働中、マルチ AZ、暗号化、非公開: {details}")


@reads_aws
def alarms(target: CheckTarget) -> Text:
    pages = client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{target.name}-")
    found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    wanted = [f"{target.name}-{alarm}" for alarm in ALARMS]
    if missing := [name for name in wanted if name not in found]:
        raise Failed(f"missing: {', '.join(missing)}", f"不足: {'、'.join(missing)}")
    if without_action := [
        name for name in wanted if not found[name]["AlarmActions"] or not found[name]["ActionsEnabled"]
    ]:
        raise Failed(f"no action: {', '.join(without_action)}", f"通知先がない: {'、'.join(without_action)}")
    return Text(
        f"all {len(wanted)} alarms exist and have an action", f"{len(wanted)} 個すべてのアラームがあり、通知先もある"
    )


@reads_aws
def no_new_alarms(target: CheckTarget) -> Text:
    """No alarm fires that did not fire before the deployment: the fix of an older one must be deployable."""
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{target.name}-", StateValue="ALARM")
    )
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    firing = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
    if not firing:
        return Text("no alarm is active", "発報中のアラームなし")
    if target.alarms_before is None:
        details = ", ".join(firing)
        raise Skipped(f"{details}; unknown which were active before", f"{details}。以前から発報中かは不明")
    new = [name for name in firing if name not in target.alarms_before and not is_unrelated(target, name)]
    if new:
        raise Failed(f"new alarms: {', '.join(new)}", f"新たに発報: {'、'.join(new)}")
    return Text(f"no new alarms; active before: {', '.join(firing)}", f"新たな発報なし (以前から: {'、'.join(firing)})")


def is_unrelated(target: CheckTarget, alarm: str) -> bool:
    return alarm.removeprefix(f"{target.name}-") in UNRELATED


@reads_aws
def logs(target: CheckTarget) -> Text:
    group = f"{target.name}-application"
    since = int((datetime.now(UTC) - RECENT).timestamp() * 1000)
    if not any(events_since(group, since)):
        raise Failed(f"no events in {group} for 15 minutes", f"{group} に 15 分間ログがない")
    return Text(f"{group} receives events", f"{group} にログが届いている")


def events_since(group: str, since: int) -> Iterator[Resource]:
    """CloudWatch searches in parts: it returns empty pages with a token until it finds an event."""
    token: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = client("logs").filter_log_events(logGroupName=group, startTime=since, limit=1, **token)
        yield from page["events"]
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


@reads_aws
def metrics(target: CheckTarget) -> Text:
    now = datetime.now(UTC)
    points = client("cloudwatch").get_metric_statistics(
        Namespace="TMS",
        MetricName="ActiveTerminals",
        StartTime=now - RECENT,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    if not points:
        raise Failed("no data for TMS/ActiveTerminals for 15 minutes", "TMS/ActiveTerminals に 15 分間データがない")
    newest = max(points, key=lambda point: point["Timestamp"])
    return Text(f"TMS/ActiveTerminals is {newest['Maximum']:g}", f"TMS/ActiveTerminals は {newest['Maximum']:g}")


@reads_aws
def firewall(target: CheckTarget) -> Text:
    name = f"{target.name}-web-acl"
    acl = client("wafv2").get_web_acl_for_resource(ResourceArn=balancer(target)).get("WebACL")
    if not acl or acl["Name"] != name:
        raise Failed(
            f"the load balancer has {acl and acl['Name']}, not {name}",
            f"ALB の Web ACL が {name} ではなく {acl and acl['Name']}",
        )
    return Text(
        f"{name} with {len(acl['Rules'])} rules is attached to the load balancer",
        f"{name} ({len(acl['Rules'])} ルール) が ALB に適用済み",
    )


def balancer(target: CheckTarget) -> str:
    found = client("elbv2").describe_load_balancers(Names=[f"{target.name}-application-lb"])["LoadBalancers"]
    return str(found[0]["LoadBalancerArn"])


@reads_aws
def scaling(target: CheckTarget) -> Text:
    """The policies of the Auto Scaling group or of the ECS service; one of them exists."""
    group = f"{target.name}-autoscaling-group"
    groups = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    if groups:
        policies = client("autoscaling").describe_policies(AutoScalingGroupName=group)["ScalingPolicies"]
        return scaled(group, [policy["PolicyName"] for policy in policies])
    service = f"service/{target.name}-cluster/{target.name}-serve"
    found = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs", ResourceId=service)
    return scaled(service, [policy["PolicyName"] for policy in found["ScalingPolicies"]])


def scaled(what: str, policies: list[str]) -> Text:
    if not policies:
        raise Failed(f"{what} has no scaling policy", f"{what} にスケーリングポリシーがない")
    return Text(f"{what} follows {', '.join(policies)}", f"{what}: {'、'.join(policies)}")


def tagged(name: str) -> list[dict[str, object]]:
    return [{"Name": "tag:Name", "Values": [name]}]


def name_of(resource: Resource) -> str:
    return next((str(tag["Value"]) for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")

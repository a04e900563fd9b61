"""Whether alarms reach people: the confirmed subscriptions of their topics, and a test page."""

from collections import Counter

from deploy.aws import Resource, account, client
from deploy.check.aws.cloud import reads_aws
from deploy.check.result import Failed, Text
from deploy.check.target import CheckTarget

SEVERITIES = ("critical", "warning")
PENDING = "PendingConfirmation"
TEST_PAGE = "This is a test: an alarm of {name} would reach you like this. Nothing is wrong."


@reads_aws
def subscriptions(target: CheckTarget) -> Text:
    """AWS sends nothing to an address that did not confirm, and does not report it."""
    found = {severity: subscribed(topic(target.name, severity)) for severity in SEVERITIES}
    pending = sorted({each["Endpoint"] for all_ in found.values() for each in all_ if is_pending(each)})
    if pending:
        raise Failed(f"not confirmed: {', '.join(pending)}", f"未確認: {'、'.join(pending)}")
    if empty := [severity for severity in SEVERITIES if not found[severity]]:
        raise Failed(f"no recipient: {', '.join(empty)}", f"宛先がない: {'、'.join(empty)}")
    protocols = ", ".join(f"{number} {name}" for name, number in sorted(counted(found["critical"]).items()))
    return Text(f"critical alarms reach {protocols}", f"critical の宛先: {protocols}")


def send_page(name: str) -> str:
    """Send a test message to everybody who gets critical alarms. Returns its id."""
    sent = client("sns").publish(
        TopicArn=topic(name, "critical"), Subject=f"{name}: test page", Message=TEST_PAGE.format(name=name)
    )
    return str(sent["MessageId"])


def topic(name: str, severity: str) -> str:
    sns = client("sns")
    return f"arn:aws:sns:{sns.meta.region_name}:{account()}:{name}-alerts-{severity}"


def subscribed(arn: str) -> list[Resource]:
    pages = client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [each for page in pages for each in page["Subscriptions"]]


def is_pending(subscription: Resource) -> bool:
    return bool(subscription["SubscriptionArn"] == PENDING)


def counted(found: list[Resource]) -> Counter[str]:
    return Counter(str(each["Protocol"]) for each in found)

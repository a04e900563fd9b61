"""A topic of Amazon SNS. Needs requirements/aws.txt, AWS_REGION, and the right to publish there."""

from typing import Any

from django.utils.translation import gettext

from tms.notifications.models.destination import Destination
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

MOST_OF_SUBJECT = 100


def hand_over(destination: Destination, message: Message) -> SendResult:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return SendResult.failed(gettext("Amazon SNS needs the packages of requirements/aws.txt."))
    try:
        answer = _client(destination.address).publish(TopicArn=destination.address, **_publication(message))
    except ClientError as error:
        return _refused(error.response)
    except BotoCoreError as error:
        return SendResult.retry(f"{type(error).__name__}: {error}", possibly_delivered=True)
    return SendResult.delivered(f"MessageId {answer['MessageId']}")


def _publication(message: Message) -> dict[str, Any]:
    marks = {"id": message.uid, "kind": message.kind, "severity": message.severity or "none"}
    if message.possible_duplicate:
        marks["possible_duplicate"] = "true"
    return {
        "Subject": _subject(message.title),
        "Message": f"{message.title}\n{message.body}",
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in marks.items()},
    }


def _subject(title: str) -> str:
    """SNS takes ASCII only, and refuses the whole message otherwise."""
    ascii_only = " ".join(title.encode("ascii", "ignore").decode().split())
    return (ascii_only if title.isascii() else f"TMS {ascii_only}".strip())[:MOST_OF_SUBJECT]


def _client(topic: str) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    region = topic.split(":")[3]
    quick = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    return Session().client("sns", region_name=region, config=quick)


def _refused(response: Any) -> SendResult:
    code, said = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    status = response["ResponseMetadata"].get("HTTPStatusCode", 500)
    whole = f"{status} {code}: {said}"
    # Rights are granted, and topics made, while TMS tries again; only a message that cannot be is given up.
    return (
        SendResult.failed(whole) if code in {"InvalidParameter", "InvalidParameterValue"} else SendResult.retry(whole)
    )

"""A topic of Amazon SNS. Needs AWS_REGION, and the right to publish there."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

EXAMPLE = "arn:aws:sns:ap-northeast-1:123456789012:tms"
MAX_OF_SUBJECT = 100


class Sns(Transport):
    name = "sns"
    position = 30
    label = _("Amazon SNS")
    summary = _("To everything that subscribes to a topic of AWS.")
    icon = "node"
    address_label = _("Topic ARN")
    address_hint = EXAMPLE
    is_address_secret = False
    has_links = False

    def clean_address(self, text: str) -> str:
        parts = text.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns" or not all(parts[index] for index in (3, 4, 5)):
            message = gettext("Not a topic ARN. Enter one such as %(example)s.")
            raise ValidationError(message % {"example": EXAMPLE})
        return text

    def send(self, to: Recipient, message: Message) -> SendResult:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = _client(to.address).publish(TopicArn=to.address, **_publication(message))
        except ClientError as error:
            return _refusal(error.response)
        except BotoCoreError as error:
            return SendResult.retry(f"{type(error).__name__}: {error}", possibly_delivered=True)
        return SendResult.delivered(f"MessageId {answer['MessageId']}")


def _publication(message: Message) -> dict[str, object]:
    attributes = {"id": message.uid, "kind": message.kind, "severity": message.severity or "none"}
    if message.possible_duplicate:
        attributes["possible_duplicate"] = "true"
    return {
        "Subject": _subject(message.title),
        "Message": f"{message.title}\n{message.body}",
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }


def _subject(title: str) -> str:
    """SNS takes ASCII only, and refuses the whole message otherwise."""
    ascii_only = " ".join(title.encode("ascii", "ignore").decode().split())
    return (ascii_only if title.isascii() else f"TMS {ascii_only}".strip())[:MAX_OF_SUBJECT]


def _client(topic: str) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    region = topic.split(":")[3]
    quick = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    return Session().client("sns", region_name=region, config=quick)


def _refusal(response: Any) -> SendResult:
    code, text = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    status = response["ResponseMetadata"].get("HTTPStatusCode", 500)
    detail = f"{status} {code}: {text}"
    # Rights are granted, and topics made, while TMS retries; only a message that SNS cannot take fails for good.
    if code in {"InvalidParameter", "InvalidParameterValue"}:
        return SendResult.failed(detail)
    return SendResult.retry(detail)

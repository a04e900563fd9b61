"""Services that have alerts of their own, such as PagerDuty."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from django.utils.translation import gettext

from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import subjects_of
from tms.notifications.transports.fields import Values
from tms.notifications.transports.http_client import ApiAnswer
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.result import SendOutcome, SendResult

type Post = Callable[[float], ApiAnswer]
"""One request; takes the deadline of all, on the monotonic clock."""


class AlertService(ServiceTransport):
    """Opens an alert for each alert or incident of TMS, and acknowledges and resolves both together."""

    has_links = False
    icon = "phone"
    is_one_by_one = True
    follows_alerts = True
    hosts: ClassVar[Mapping[str, str]]
    """Hosts by the value of the field `region`; `us` by default."""

    def host(self, values: Values) -> str:
        return self.hosts.get(values.get("region", ""), self.hosts["us"])

    def shown(self, values: Values) -> str:
        return self.host(values).partition("://")[2].partition("/")[0]

    def send(self, to: Recipient, message: Message) -> SendResult:
        if not subjects_of(message) and message.kind != TEST:
            text = gettext("%(service)s takes alerts only. Choose another destination for reports.")
            return SendResult.failed(text % {"service": self.label})
        return http_client.guarded(lambda: self._post_all(to, message))

    @abstractmethod
    def posts(self, to: Recipient, message: Message) -> Iterator[Post]:
        """The requests in order. Repeating them does no harm: the service recognises each alert by its key."""

    @abstractmethod
    def result(self, answer: ApiAnswer) -> SendResult:
        """What an answer means."""

    def _post_all(self, to: Recipient, message: Message) -> SendResult:
        until, result = http_client.deadline(), SendResult.retry(gettext("No response in time."))
        for post in self.posts(to, message):
            result = self.result(post(until))
            if result.outcome is not SendOutcome.DELIVERED:
                break
        return result

"""Structured logs: one line per event, with special characters escaped."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from structlog.types import Processor

REQUEST_LOGGERS = {"django.request", "django_structlog.middlewares.request"}


SECRETS = re.compile(
    r"(?P<before>"
    r"[?&;][\w.%-]{0,40}?(?:token|secret|passw|api_?key|credential|signature)[\w.%-]{0,20}="  # a query
    r"|\bauthorization\W{1,6}(?:\w{1,20} )?|\bbearer "  # a header
    r"|\btms_(?=[\w-]{43})"  # an API token by itself
    r"|/(?:act|invitation|sign-in/reset/\w{1,40}|upload)/(?=[\w.-]{30})"  # the token of an address
    r")[^\s&;\"'<>\\]+",
    re.IGNORECASE,
)
"""The text after a clear mark of a credential. Each part is bounded, so that cost grows linearly with the line."""
EVERYDAY = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""Client errors that need nobody's attention: typing errors, old addresses, a browser that was closed."""
CLIENT_GONE = "CurrentThreadExecutor already quit"
FACTS = ("status_code", "method", "address")
"""Fields of a rejected request, besides Django's message."""


QUIETER = ("django_structlog", "daphne.server", "botocore", "fido2", "requests", "urllib3")
"""Loggers whose lines below a warning are noise, or contain whole URLs, which for many services are keys."""


def logging_config(
    *, level: str, form: str, error_log: str = "", cloudwatch_group: str = "", node: str = ""
) -> dict[str, object]:
    """A `logging.config.dictConfig` document; `form` is `json` (machines) or `plain` (people).

    If they are named, errors also go to the file `error_log`, and all lines to the log group of CloudWatch.
    """
    configure_structlog()
    used = handlers(error_log=error_log, cloudwatch_group=cloudwatch_group, node=node)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": formatter(structlog.processors.JSONRenderer() if form == "json" else one_line),
            "json": formatter(structlog.processors.JSONRenderer()),
        },
        "filters": {
            "no_health": callback(is_no_health_check),
            "clients_gone": callback(shorten_client_gone),
            "refusals": callback(shorten_refusal),
            "no_refusals": callback(lambda record: not is_refusal(record)),
        },
        "handlers": used | {"nowhere": {"class": "logging.NullHandler"}},
        "root": {"handlers": list(used), "level": level},
        "loggers": {
            # Django's own handlers would write the whole URL, and mail the whole request.
            "django": {"handlers": []},
            "django.server": {"handlers": [], "propagate": True},
            **{name: {"level": "WARNING"} for name in QUIETER},
            # It quotes whole addresses in errors, too. What it logs of a failure is the result of the delivery.
            "apprise": {"level": "WARNING", "handlers": ["nowhere"], "propagate": False},
        },
    }


def configure_structlog() -> None:
    structlog.configure(
        processors=[*shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def shared_processors() -> list[Processor]:
    """Applied to every event, from structlog or a plain logger."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def handlers(*, error_log: str, cloudwatch_group: str, node: str) -> dict[str, dict[str, object]]:
    filters = ["no_health", "clients_gone", "refusals"]
    used: dict[str, dict[str, object]] = {
        "console": {"class": "logging.StreamHandler", "formatter": "structured", "filters": filters},
    }
    if error_log:
        used["errors"] = error_file(error_log) | {"filters": [*filters, "no_refusals"]}
    if cloudwatch_group:
        used["cloudwatch"] = cloudwatch(cloudwatch_group, node) | {"filters": filters}
    return used


def formatter(processor: Processor) -> dict[str, object]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": without_secrets(processor),
        "foreign_pre_chain": [*shared_processors(), structlog.stdlib.ExtraAdder(FACTS)],
    }


def without_secrets(processor: Any) -> Any:
    """Wrap `processor`: mask in its output what looks like a credential."""
    return lambda logger, method, event: SECRETS.sub(r"\g<before>[removed]", processor(logger, method, event))


def callback(accept: Callable[[logging.LogRecord], bool]) -> dict[str, object]:
    return {"()": "django.utils.log.CallbackFilter", "callback": accept}


def error_file(path: str) -> dict[str, object]:
    return {"()": "tms.ops.error_log.ErrorLog", "path": path, "level": "ERROR", "formatter": "structured"}


def cloudwatch(group: str, stream: str) -> dict[str, object]:
    return {"()": "tms.ops.cloudwatch.logs.CloudWatchLogs", "group": group, "stream": stream, "formatter": "json"}


def is_no_health_check(record: logging.LogRecord) -> bool:
    """Django logs an error for each response with 503; the causes are logged where they happen."""
    text = record.msg.get("request", "") if isinstance(record.msg, dict) else record.getMessage()
    return not (record.name in REQUEST_LOGGERS and text.endswith(" /health/"))


def is_refusal(record: logging.LogRecord) -> bool:
    """A request that Django answered with 4xx, or with 501 for a part of a protocol that TMS does not have.

    Django logs a warning, or an error for 501 and of `django.security`.
    """
    status = getattr(record, "status_code", 0)
    return record.name.startswith("django.") and (400 <= status < 500 or status == HTTPStatus.NOT_IMPLEMENTED)


def shorten_refusal(record: logging.LogRecord) -> bool:
    """A client error: no traceback, but the client's address. Those of every day are no warnings."""
    if not is_refusal(record):
        return True
    record.exc_info = record.exc_text = None
    record.levelno = logging.INFO if getattr(record, "status_code", 0) in EVERYDAY else logging.WARNING
    record.levelname = logging.getLevelName(record.levelno)
    request = getattr(record, "request", None)
    record.method = getattr(request, "method", None)
    record.address = request.META.get("REMOTE_ADDR") if request is not None else None
    # Django logged it as a warning, which the level of TMS let pass.
    return logging.getLogger().isEnabledFor(record.levelno)


def shorten_client_gone(record: logging.LogRecord) -> bool:
    """A client that left before its response: asgiref then ends the view with an error, which is nobody's fault."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, RuntimeError) and CLIENT_GONE in str(error):
        record.msg, record.args = f"client left before the response: {record.getMessage()}", ()
        record.name, record.status_code = "django.request", HTTPStatus.REQUEST_TIMEOUT
    return True


def one_line(logger: object, method: str, event: Any) -> str:
    """`2026-12-01T12:00:00Z info  tms.clock.scheduler leader_elected node='a'`, with control characters escaped."""
    words = dict(event)
    for private in ("_record", "_from_structlog"):
        words.pop(private, None)
    at, level, name = (str(words.pop(key, "")) for key in ("timestamp", "level", "logger"))
    event, error = str(words.pop("event", "")), words.pop("exception", "")
    facts = " ".join(f"{key}={value!r}" for key, value in words.items())
    line = f"{at[:19]}Z {level:<7} {name} {event} {facts}".rstrip()
    return printable(line) + (f" | {printable(error)}" if error else "")


def printable(text: str) -> str:
    """`text` with every character that could break or repaint a line escaped: CR, LF, ANSI, U+2028 …"""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

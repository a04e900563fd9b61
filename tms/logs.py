"""Structured logs: one line per event whatever is in it (R19)."""

import logging
from typing import Any

import structlog

REQUEST_LOGGERS = {"django.request", "django_structlog.middlewares.request"}


def logging_config(
    *, level: str, form: str, error_log: str = "", cloudwatch_group: str = "", node: str = ""
) -> dict[str, Any]:
    """A `logging.config.dictConfig` document; `form` is `json` (machines) or `plain` (people).

    Where they are named, errors also go to the file `error_log`, and all to the log group of CloudWatch.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handlers: dict[str, dict[str, Any]] = {"console": {"class": "logging.StreamHandler", "formatter": "structured"}}
    if error_log:
        handlers["errors"] = error_file(error_log)
    if cloudwatch_group:
        handlers["cloudwatch"] = cloudwatch(cloudwatch_group, node)
    for handler in handlers.values():
        handler["filters"] = ["no_health"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": formatter(structlog.processors.JSONRenderer() if form == "json" else one_line, shared),
            "json": formatter(structlog.processors.JSONRenderer(), shared),
        },
        "filters": {"no_health": {"()": "django.utils.log.CallbackFilter", "callback": is_no_health_check}},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            "django_structlog": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "daphne.server": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            # Below that they log whole addresses, and those of many services are keys.
            "apprise": {"level": "WARNING"},
            "requests": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }


def formatter(processor: Any, shared: list[Any]) -> dict[str, Any]:
    return {"()": structlog.stdlib.ProcessorFormatter, "processor": processor, "foreign_pre_chain": shared}


def error_file(path: str) -> dict[str, Any]:
    return {"()": "tms.ops.error_log.ErrorLog", "path": path, "level": "ERROR", "formatter": "structured"}


def cloudwatch(group: str, stream: str) -> dict[str, Any]:
    return {"()": "tms.ops.cloudwatch.logs.CloudWatchLogs", "group": group, "stream": stream, "formatter": "json"}


def is_no_health_check(record: logging.LogRecord) -> bool:
    """Django calls a 503 an error each time it is asked; what is unwell is logged where it happens."""
    said = record.msg.get("request", "") if isinstance(record.msg, dict) else record.getMessage()
    return not (record.name in REQUEST_LOGGERS and said.endswith(" /health/"))


def one_line(logger: object, method: str, event: Any) -> str:
    """`12:00:00 info  tms.clock leader_elected node='a'`, with control characters escaped."""
    words = dict(event)
    for private in ("_record", "_from_structlog"):
        words.pop(private, None)
    at, level, name = (str(words.pop(key, "")) for key in ("timestamp", "level", "logger"))
    said, error = str(words.pop("event", "")), words.pop("exception", "")
    facts = " ".join(f"{key}={value!r}" for key, value in words.items())
    line = f"{at[11:19]} {level:<7} {name} {said} {facts}".rstrip()
    return printable(line) + (f" | {printable(error)}" if error else "")


def printable(text: str) -> str:
    """`text` with every character that could break or repaint a line escaped: CR, LF, ANSI, U+2028 …"""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

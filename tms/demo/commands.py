"""The commands that the customer of the demo has defined. `tms.demo.device` handles them."""

from tms.commands import definitions
from tms.commands.definitions import DefinitionValues
from tms.commands.models import CommandDefinition

COMMANDS = {
    "set-volume": DefinitionValues(
        "Set the volume",
        "音量を設定",
        arguments={
            "type": "object",
            "properties": {
                "level": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 100,
                    "title": "Level",
                    "x-title-ja": "音量",
                    "description": "In per cent.",
                    "x-description-ja": "パーセントで指定します。",
                },
                "channel": {
                    "enum": ["main", "announcements", "alarm"],
                    "default": "main",
                    "title": "Channel",
                    "x-title-ja": "チャンネル",
                    "x-labels": {
                        "en": ["Main", "Announcements", "Alarm"],
                        "ja": ["メイン", "案内放送", "警報"],
                    },
                },
            },
            "required": ["level"],
            "additionalProperties": False,
            "examples": [{"level": 40, "channel": "announcements"}],
        },
    ),
    "print-test-page": DefinitionValues(
        "Print test page",
        "テスト印刷",
        arguments={
            "type": "object",
            "properties": {
                "copies": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 5,
                    "default": 1,
                    "title": "Copies",
                    "x-title-ja": "部数",
                },
                "cut": {"type": "boolean", "default": True, "title": "Cut the paper", "x-title-ja": "用紙をカットする"},
            },
            "additionalProperties": False,
        },
        answer_within_s=60,
    ),
}


def seed_commands() -> None:
    """Define those that are missing."""
    known = set(CommandDefinition.objects.values_list("name", flat=True))
    for name, values in COMMANDS.items():
        if name not in known:
            definitions.define(name, values)

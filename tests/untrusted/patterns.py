"""Every regular expression of TMS and of its agent, with its most expensive input; `test_linear.py` runs them.

One that is not listed here fails a test.
"""

import ast
import re
import typing
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from tests.support.inventory import ROOT
from tests.untrusted.made import Make, Work, in_bytes, repeated
from tms.accounts.passwords import product_words as password_words

CALLS = {"re.compile", "re.sub", "re.match", "re.search", "re.fullmatch", "re.split", "re.findall", "re.finditer"}
PATTERN_ARGUMENTS = {"Meta", "RegexValidator", "Field", "StringConstraints", "RegexField"}


def patterns() -> Iterator[str]:
    """The location of the regular expression, as `module.NAME` or `module.function`."""
    for root, package in ((ROOT, "tms"), (ROOT, "consumers"), (ROOT / "agent/src", "tms_agent")):
        for path in sorted((root / package).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            yield from (f"{module}.{name}" for name in _patterns_of(path))


def _patterns_of(path: Path) -> Iterator[str]:
    def visit(node: ast.AST, names: tuple[str, ...]) -> Iterator[str]:
        if isinstance(node, ast.Call) and _is_pattern(node):
            yield ".".join(names)
        named = _name_of(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, (*names, named) if named else names)

    yield from visit(ast.parse(path.read_text()), ())


def _is_pattern(node: ast.Call) -> bool:
    name = ast.unparse(node.func)
    given = {keyword.arg for keyword in node.keywords}
    return (
        name in CALLS or name == "RegexValidator" or (name in PATTERN_ARGUMENTS and bool(given & {"pattern", "regex"}))
    )


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.TypeAlias(name=ast.Name(id=name)):
            return name
    return ""


# Regular expressions

ONLY_OURS: Mapping[str, str] = {
    "tms.commands.patterns.compiled": "a pattern whose cost is bounded, on an argument of bounded length",
    "tms.inspections.photos.READERS": "the first bytes of a photo",
    "tms.query.completion.UNFINISHED_VALUE": "the 100 characters before the cursor",
    "tms.query.completion.UNFINISHED_WORD": "the 100 characters before the cursor",
    "tms.rest_base.links._links.found": "paths of our own operations",
    "tms.rest_base.links._links.parameters": "paths of our own operations",
    "tms.accounts.passwords.product_words.words": "our own host names",
    "tms.main.management.commands.demo.machine_uid.name": "the name of this machine",
    "tms.ops.checks.LOG_GROUP": "a setting",
    "tms.ops.checks.NAMESPACE": "a setting",
    "tms.server.websocket.handshake.CONTROL": "headers of our own answers",
    "tms.telemetry.storage.partitions.PARTITION_NAME": "names of our own tables",
    "tms_agent.commands.process.PROGRESS": "the first 300 bytes of a line that a handler writes",
    "tms_agent.conformance.schemas.mapping.faults": "frames of a client that its developer tests",
    "tms_agent.conformance.schemas.text.faults": "frames of a client that its developer tests",
    "tms_agent.settings.toml_file.MEMBER": "the configuration of the terminal's owner",
    "tms_agent.settings.toml_file.TABLE": "the configuration of the terminal's owner",
}
"""The patterns that are applied to no foreign text, or to a bounded piece of it, and what that is."""


BACKSLASHES = repeated("\\", before='"')
WORDS = ("a", "0", " ", "\n", "-", "_", ".")


def words(*, after: str = "!") -> tuple[Make, ...]:
    return tuple(repeated(word, after=after) for word in WORDS)


PATTERNS: Mapping[str, tuple[str, tuple[Make, ...]]] = {
    "tms.accounts.identity_providers.saml.certificates.PEM": (
        "findall",
        (
            *words(),
            repeated("-----BEGIN CERTIFICATE-----"),
            repeated("-----BEGIN CERTIFICATE-----a"),
            repeated("a", before="-----BEGIN CERTIFICATE-----"),
        ),
    ),
    "tms.accounts.passwords.product_words.PasswordWordValidator.validate.rest": (
        "sub",
        (*words(), repeated("tm"), repeated("administrato")),
    ),
    "tms.artifacts.manifest.Digest": ("search", (*words(), repeated("0"))),
    "tms.artifacts.manifest.OptionalWord": ("search", words()),
    "tms.artifacts.manifest.Word": ("search", words()),
    "tms.commands.argument_schemas.REFERENCE": ("fullmatch", (*words(), repeated("a", before="#/$defs/"))),
    "tms.commands.definitions.MEDIA_TYPE": ("fullmatch", words()),
    "tms.commands.definitions.NAME": ("fullmatch", words()),
    "tms.commands.patterns.TOKEN": ("match", (*words(), repeated("a", before="["), repeated("\\-", before="["))),
    "tms.commands.schema_positions.TOKEN": ("findall", (*words(), repeated('"\\'), repeated("{"))),
    "tms.configuration.keys.NAME": ("fullmatch", (*words(), repeated("a."))),
    "tms.configuration.values.variables.VARIABLE": ("sub", (*words(), repeated("{"), repeated("{{a"))),
    "tms.fleet.groups.views.PRIMARY_KEY": ("fullmatch", words()),
    "tms.fleet.models.attribute.NAME": ("fullmatch", words()),
    "tms.fleet.models.tag.TAG": ("fullmatch", words()),
    "tms.inspections.photos.MARKER": ("search", (in_bytes(repeated("a")), in_bytes(repeated("\0")))),
    "tms.lib.db.version_order.FIRST_V": ("sub", (*words(), repeated("v"))),
    "tms.lib.db.version_order.PARTS": ("findall", (*words(), repeated("a1"))),
    "tms.query.completion.NEEDS_QUOTES": ("search", words()),
    "tms.query.value_kinds.AGE": ("fullmatch", (*words(), repeated("1"))),
    "tms.query.value_kinds.WRITTEN_NUMBER": ("fullmatch", (*words(), repeated("1."), repeated("1", before="1."))),
    "tms.query.value_kinds.DIGIT": ("search", words()),
    "tms.query.value_kinds.WRITTEN_DAY": ("fullmatch", (*words(), repeated("2026-"))),
    "tms.alerts.search.NUMBER": ("fullmatch", (*words(), repeated("1"))),
    "tms.availability.report.months.WRITTEN": ("fullmatch", (*words(), repeated("2026-"))),
    "tms.boards.list_filters.incident_filter.MONTH": ("fullmatch", (*words(), repeated("2026-"))),
    "tms.config.environment.ADDRESS": (
        "fullmatch",
        (*words(), repeated("a", before="https://", after=" "), repeated("/", before="https://a", after=" ")),
    ),
    "tms.lib.outgoing.bounded_http.URL": ("fullmatch", (*words(), repeated("a", before="https://"), repeated("a:"))),
    "tms.server.websocket.upgrade_request.HEAD": (
        "fullmatch",
        (
            in_bytes(repeated("a", before="GET /", after=" ")),
            in_bytes(repeated("a: b\r\n", before="GET / HTTP/1.1\r\n", after="\n")),
            in_bytes(repeated("a", before="GET / HTTP/1.1\r\n")),
            in_bytes(repeated(" ", before="GET / HTTP/1.1\r\na: b")),
        ),
    ),
    "tms.server.websocket.upgrade_request.UPGRADE": (
        "search",
        (
            in_bytes(repeated("\r\nupgrade:")),
            in_bytes(repeated(" ", before="\r\nupgrade:")),
            in_bytes(repeated(" ", before="\r\nupgrade: websocket")),
        ),
    ),
    "tms.server.websocket.upgrade_request.KEY": ("fullmatch", tuple(in_bytes(each) for each in words())),
    "tms.server.websocket.upgrade_request.HOST": (
        "fullmatch",
        (*(in_bytes(each) for each in words()), in_bytes(repeated("1", before="a:"))),
    ),
    "tms.protocol.raw_checks.STRINGS": (
        "sub",
        (
            in_bytes(repeated('\\"', before='"')),
            in_bytes(repeated('"\\')),
            in_bytes(repeated('"')),
            in_bytes(repeated('\\"')),
            in_bytes(repeated("a", before='"')),
            in_bytes(BACKSLASHES),
        ),
    ),
    "tms.protocol.raw_checks.NUL": (
        "search",
        (
            in_bytes(BACKSLASHES),
            in_bytes(repeated("\\\\u000")),
            in_bytes(repeated("\\\\\\\\\\\\\\u0001")),
            in_bytes(repeated("\\", after="u0000")),
        ),
    ),
    "tms.protocol.raw_checks.EXTREME": (
        "findall",
        (in_bytes(repeated("1e")), in_bytes(repeated("1e308,")), in_bytes(repeated("1")), in_bytes(repeated("1e30"))),
    ),
    "tms.protocol.credential.UID": ("fullmatch", words()),
    "tms.protocol.credential.SECRET": ("fullmatch", words()),
    "tms.rest_base.idempotency.KEY": ("fullmatch", words(after=" ")),
    "tms.notifications.soft_delete.views.PRIMARY_KEY": ("fullmatch", words()),
    "tms.boards.rows.site_details.LAST_NUMBER": ("search", (*words(), repeated("1", after="a"))),
    "tms.fleet.sites.api.SiteFields.code": ("search", (*words(), repeated("a", after="\n"))),
    "tms.fleet.sites.typed_hours.BETWEEN": ("sub", (*words(), repeated(" ", after="a"))),
    "tms.fleet.sites.typed_hours.SPAN": (
        "findall",
        (*words(), repeated("1"), repeated(" ", before="10"), repeated(" ", before="10-", after="a"), repeated("1 ")),
    ),
    "tms.transfer.kinds.cells.CODE": ("fullmatch", words()),
    "tms.transfer.kinds.cells.TIME": ("fullmatch", (*words(), repeated("0", before="10:00:00.", after="a"))),
    "tms.rest_base.schemas.TIME_OF_DAY": ("fullmatch", (*words(), repeated("1", before="09:00:00."))),
    "tms.notifications.models.digest_plan.TIME": ("fullmatch", (*words(), repeated("1:"))),
    "tms.notifications.models.digest_plan.SEPARATORS": ("split", words()),
    "tms.lib.calendar.repetition.NTH": ("fullmatch", (repeated("1"), repeated("1MO"))),
    "tms.boards.rendering.renderer.UNSEEN": (
        "sub",
        (repeated(" "), repeated("<td "), repeated(" <p> "), repeated("< td")),
    ),
    "tms.boards.rendering.renderer.TAIL": (
        "sub",
        (repeated("<a "), repeated(" ", before="<a", after=">"), repeated("<a  >"), repeated("a", before="<")),
    ),
    "tms.boards.list_filters.filters.PRIMARY_KEY": ("fullmatch", words()),
    "tms.lib.calendar.durations.WRITTEN": (
        "fullmatch",
        (*words(), repeated(" ", before="1", after="1"), repeated("1.", before="1"), repeated("1", after="x1")),
    ),
    "tms.boards.formatting.instants.TIME": (
        "sub",
        (repeated('<time datetime="'), repeated('<time datetime="x" data-countdown>')),
    ),
    "tms.boards.live.leaf_patches.LEAF": (
        "sub",
        (
            repeated('<b id="a">'),
            repeated(" x", before='<b id="a"', after=">"),
            repeated('x<b id="a" data-leaf>text</b>'),
            repeated('x<b id="a">text</b>'),
            repeated("&lt;b id=&quot;a&quot;&gt;", before='x<b id="a">', after="</b>"),
        ),
    ),
    "tms.alerts.models.rule.EVENT_CODE": ("fullmatch", words()),
    "tms.alerts.models.rule.Rule.metric": ("search", (*words(), repeated("a", after="\n"))),
    "tms.lib.db.natural_order.NUMBERS": ("split", (*words(), repeated("1"), repeated("1a"))),
    "tms.ops.static_files.CHUNK": (
        "fullmatch",
        (*words(), repeated("a", before="js/"), repeated("-ABCDEFGH", before="js/a")),
    ),
    "tms.lib.calendar.recurrence.NUMBER": ("fullmatch", words()),
    "tms.lib.calendar.repetition.MONTH_DAY": ("fullmatch", words()),
    "tms.lib.forms.combobox.SEPARATORS": ("split", (*words(), repeated(" ,;"))),
    "tms.boards.drafts.TOKEN": ("fullmatch", words()),
    "tms.boards.replay.chosen.OFFSET_WITHOUT_PLUS": ("sub", (*words(), repeated(" "), repeated(" 09:00"))),
    "tms.boards.replay.links.LINK": (
        "sub",
        (
            *words(),
            repeated("a", before=' href="/terminals/'),
            repeated("?", before=' href="/'),
            repeated(' href="/alerts/1'),
            repeated(' href="?a'),
        ),
    ),
    "tms.search.templatetags.search.marked.parts": ("split", (*words(), repeated("aa"), repeated("aaa-"))),
    "tms.notifications.action_links.links.VALUE": ("fullmatch", words()),
    "tms.notifications.policies.preview.form.SUBJECT": ("fullmatch", (*words(), repeated("1", before="alert-"))),
    "tms.notifications.transports.card.LINK": ("fullmatch", (*words(), repeated("a", before="https://", after=" "))),
    "tms.notifications.transports.fields.ANYTHING": ("fullmatch", words()),
    "tms.notifications.transports.line_works.transport.FIELDS": (
        "fullmatch",
        (
            *words(),
            repeated("a@"),
            repeated("\n", after="-----BEGIN"),
            repeated("a", before="-----BEGIN PRIVATE KEY-----", after="-"),
        ),
    ),
    "tms.notifications.transports.opsgenie.FIELDS": ("fullmatch", (*words(), repeated("-0000"))),
    "tms.notifications.transports.pagerduty.FIELDS": ("fullmatch", words()),
    "tms.notifications.transports.push.subscription.BASE64URL": ("fullmatch", (*words(), repeated("="))),
    "tms.notifications.transports.slack.WEBHOOK_URL": (
        "fullmatch",
        (*words(), repeated("/", before="https://hooks.slack.com/")),
    ),
    "tms.notifications.transports.slack.FIELDS": ("fullmatch", (*words(), repeated("a", before="#", after=" "))),
    "tms.notifications.transports.teams.FIELDS": (
        "fullmatch",
        (
            *words(),
            repeated("a", before="https://", after=" "),
            repeated("/triggers/", before="https://a/", after=" "),
            repeated("&sig=", before="https://a/b?", after=" "),
        ),
    ),
    "tms.notifications.transports.telegram.FIELDS": ("fullmatch", (*words(), repeated("1"))),
    "tms.config.logs.SECRETS": (
        "sub",
        (*words(), repeated("?token"), repeated("authorization "), repeated("?a.token="), repeated("tms_")),
    ),
    "tms.notifications.transports.apprise.ADDRESS": (
        "split",
        (
            *words(),
            repeated("a", before=",", after=":/"),
            repeated(",a"),
            repeated(" ,;", before="a://b"),
            repeated("a:// "),
        ),
    ),
    "tms.notifications.transports.apprise._parameters.names": ("split", (*words(), repeated("&"))),
    "tms.protocol.text.LINE_BREAK": ("sub", (*words(), repeated("\r\n"), repeated("\r"))),
    "tms.protocol.text.REMOVED": ("sub", (*words(), repeated("\x01"))),
    "tms.protocol.text.UNSTORABLE": ("sub", (*words(), repeated("\0"))),
    "tms.protocol.frames.MetricName": ("search", (*words(), repeated("a", after="\n"))),
    "tms.protocol.frames.EventCode": ("search", (*words(), repeated("a", after="\n"))),
    "tms_agent.protocol.credential.UID": ("fullmatch", words()),
    "tms_agent.protocol.credential.SECRET": ("fullmatch", words()),
    "tms_agent.protocol.instants.INSTANT": ("fullmatch", (*words(), repeated("1", before="2026-11-25T09:30:00."))),
    "tms_agent.commands.folder.FILE_NAME": ("fullmatch", (*words(), repeated("a", after="."))),
    "tms_agent.commands.folder.NAME": ("fullmatch", words()),
    "tms_agent.conformance.schemas.INSTANT": ("fullmatch", (*words(), repeated("1", before="2026-11-25T09:30:00."))),
    "tms_agent.conformance.schemas.UNSAFE": ("search", words()),
    "tms_agent.updating.download.CONTENT_RANGE": ("fullmatch", (*words(), repeated("1", before="bytes "))),
    "tms_agent.updating.manifest.SHA256": ("fullmatch", (*words(), repeated("0"))),
    "tms_agent.updating.manifest.VERSION": ("fullmatch", words()),
    "tms_agent.updating.version_order.PARTS": ("findall", (*words(), repeated("a1"))),
    "tms_agent.reports.METRIC_NAME": ("fullmatch", words()),
    "tms_agent.reports.EVENT_CODE": ("fullmatch", words()),
}
"""The use of each, and its input. Foreign text in HTML has no `<`, `>`, or quotes, because templates escape them."""


def works_of_patterns() -> Iterator[tuple[str, Work, Make]]:
    for name, (use, makes) in PATTERNS.items():
        for pattern in _compiled(name):
            for number, make in enumerate(makes):
                yield f"{name}-{number}", _use(pattern, use), make


def _use(pattern: Any, use: str) -> Work:
    if use == "sub":
        return partial(pattern.sub, b"" if isinstance(pattern.pattern, bytes) else "")
    work: Work = getattr(pattern, use)
    return work


def _compiled(name: str) -> list[Any]:
    if name == "tms.alerts.models.rule.Rule.metric":
        field = import_string("tms.alerts.models.Rule")._meta.get_field("metric")
        return [validator.regex for validator in field.validators if hasattr(validator, "regex")]
    if name == "tms.fleet.sites.api.SiteFields.code":
        fields = import_string("tms.fleet.sites.api.SiteFields").model_json_schema()["properties"]
        return [re.compile(fields["code"]["pattern"])]
    if name == "tms.accounts.passwords.product_words.PasswordWordValidator.validate.rest":
        return [re.compile("|".join(sorted(password_words.WORDS, key=len, reverse=True)))]
    if name == "tms.search.templatetags.search.marked.parts":
        return [re.compile("(aaaa|aab|a)", re.IGNORECASE)]
    if name == "tms.notifications.transports.apprise._parameters.names":
        return [re.compile("[&;?]")]
    found = import_string(name)
    if isinstance(found, typing.TypeAliasType):
        return [re.compile(meta.pattern) for meta in typing.get_args(found.__value__)[1:]]
    if isinstance(found, tuple):
        return [field.pattern for field in found]
    return [found]

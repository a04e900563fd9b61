"""The most expensive frames that a terminal can send, of about the given size.

`test_linear.py` shows that they are linear, and `python -m tests.untrusted.cost` measures each at 64 KiB.
"""

from collections.abc import Mapping

from tests.support.protocol.frames import call
from tests.untrusted.made import Make, listed, numbered, repeated
from tms.protocol import uplink

REPORT = '{"jsonrpc":"2.0","method":"report","params":{"seq":1,"at":"2026-11-25T09:30:00Z",'
BOOT = '{"jsonrpc":"2.0","id":1,"method":"boot","params":{"boot_id":"b",'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":'


METRICS = {f"m{number}": number for number in range(40)}

FRAMES: Mapping[str, Make] = {
    "a string that does not end, after brackets": repeated('\\"', before="[" * 17 + '"'),
    "the same in a report": repeated('\\"', before=REPORT + '"x":' + "[" * 17 + '"'),
    "quotes that are no strings": repeated('"\\', before="[" * 17),
    "deep nesting": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "deep nesting that does not end": repeated('{"a":'),
    "as deep as allowed, again and again": listed("[" * 14 + "]" * 14, before=ANSWER + "["),
    "empty arrays": listed("[]"),
    "backslashes": repeated("\\", before='{"a":"', after='\\u0000"}'),
    "escaped backslashes before u0000": repeated("\\\\u0000", before=REPORT + '"x":"', after='"}}'),
    "unicode escapes in a text": repeated(
        "\\u6e29", before=REPORT + '"events":[{"at":"2026-11-25T09:30:00Z","code":"a","text":"', after='"}]}}'
    ),
    "surrogates": repeated("\\ud83d\\ude00", before=REPORT + '"x":"', after='"}}'),
    "lone surrogates": repeated("\\ud800", before=REPORT + '"x":"', after='"}}'),
    "a long whole number": repeated("9", before=REPORT + '"metrics":{"a":', after="}}}"),
    "a long fraction": repeated("1", before=REPORT + '"metrics":{"a":0.', after="}}}"),
    "a huge exponent": repeated("9", before=REPORT + '"metrics":{"a":1e', after="}}}"),
    "numbers that are hard to round": listed("2.2250738585072011e-308", before=ANSWER + "[", after="]}"),
    "numbers at the end of what there is": listed("1e308", before=ANSWER + "[", after="]}"),
    "the same as metrics": listed('"a":9e307', before=REPORT + '"metrics":{', after="}}}"),
    "the same in a boot": listed('"a":9e307', before=BOOT + '"full":{"metrics":{', after="}}}}"),
    "as many of them as allowed": lambda size: ANSWER + "[" + "1e308," * 256 + "1," * ((size - 1600) // 2) + "1]}",
    "long numbers": listed("1" * 400, before=ANSWER + "[", after="]}"),
    "a long number for an id": repeated("1", before='{"jsonrpc":"2.0","result":1,"id":', after="}"),
    "many metrics": numbered('"m%d":1', before=REPORT + '"metrics":{', after="}}}"),
    "many metrics, the last one wrong": numbered('"m%d":1', before=REPORT + '"metrics":{', after=',"x":"x"}}}'),
    "metrics beyond the bound": numbered('"m%d":1e99', before=REPORT + '"metrics":{', after="}}}"),
    "one metric again and again": listed('"a":1', before=REPORT + '"metrics":{', after="}}}"),
    "unknown fields": numbered('"x%d":1', before=REPORT, after="}}"),
    "params again and again": listed(
        '"params":{"seq":1,"at":"2026-11-25T09:30:00Z"}', before='{"jsonrpc":"2.0",', after=',"method":"report"}'
    ),
    "many tiny events": listed('{"at":"2026-11-25T09:30:00Z","code":"a"}', before=REPORT + '"events":[', after="]}}"),
    "events without fields": listed("{}", before=REPORT + '"events":[', after="]}}"),
    "events with reserved codes": listed(
        '{"at":"2026-11-25T09:30:00Z","code":"tms.a"}', before=REPORT + '"events":[', after="]}}"
    ),
    "a long code": repeated("a", before=REPORT + '"events":[{"at":"2026-11-25T09:30:00Z","code":"', after='"}]}}'),
    "a long metric name": repeated("a", before=REPORT + '"metrics":{"', after='":1}}}'),
    "a long instant": repeated("1", before=REPORT.replace("00Z", "00."), after='Z","late":true}}'),
    "many capabilities": listed('"a"', before=BOOT + '"capabilities":[', after="]}}"),
    "a boot with many metrics": numbered('"m%d":1', before=BOOT + '"full":{"metrics":{', after="}}}}"),
    "a batch of reports": lambda size: "[" + ",".join([REPORT + '"late":true}}'] * min(200, size // 100)) + "]",
    "a batch of full reports": lambda size: (
        "[" + ",".join([call("report", seq=1, at="2026-11-25T09:30:00Z", metrics=METRICS)] * (size // 400)) + "]"
    ),
    "a batch that is too long": listed("1"),
    "a batch of nonsense": lambda size: (
        "[" + ",".join([REPORT + '"status":"x' + "x" * 200 + '"}}'] * (size // 320)) + "]"
    ),
    "a method that is no word": repeated("\\u0041", before='{"jsonrpc":"2.0","method":"', after='"}'),
    "an id that is a list": listed("{}", before='{"jsonrpc":"2.0","method":"x","id":[', after="]}"),
    "an answer of objects": listed('{"a":1}', before=ANSWER + "[", after="]}"),
    "an answer that is an error, and long": repeated(
        "x", before='{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"', after='"}}'
    ),
    "blanks": repeated(" ", after="[]"),
    "blanks within": repeated(" ", before=REPORT, after='"late":true}}'),
}
"""The benchmark of frames measures each of these at 64 KiB, too."""


def decoded(frame: str) -> list[object]:
    """The work of a session on it, also before the boot."""
    return list(uplink.decode(frame))

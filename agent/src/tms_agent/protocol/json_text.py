"""JSON as bytes: with msgspec if it is installed, else with the standard library, which is slower."""

import json
from typing import Any, NoReturn

try:
    from msgspec.json import decode as _fast_decode
    from msgspec.json import encode as _fast_encode
except ImportError:
    _is_fast = False
else:
    _is_fast = True


def encode(value: Any) -> bytes:
    """Raises TypeError or ValueError if `value` cannot be represented."""
    if _is_fast:
        return _fast_encode(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(data: bytes) -> Any:
    """Raises ValueError if `data` is not JSON in UTF-8."""
    try:
        return _fast_decode(data) if _is_fast else json.loads(data.decode(), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")

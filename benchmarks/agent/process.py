"""Time to import, resident memory and CPU of `tms-agent`, which reports over TLS to a server that acknowledges."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

ROOT = Path(__file__).parents[2]
NEEDED, FULL = ("websockets",), ("websockets", "psutil", "msgspec")
IMPORTS = 7
HEARTBEAT_S = 30.0
ACKNOWLEDGED_AFTER_S = 0.1
WARM_UP_S = 5.0
LIBRARIES = "import asyncio, sqlite3, ssl, websockets.asyncio.client"
CODE = (
    "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began, open('/proc/self/status').read())"
)


def measure(folder: Path, seconds: int, python: str) -> Iterator[tuple[str, float]]:
    command = [python or sys.executable, "-S"]  # without the packages of this environment
    for name, packages in (("websockets only", NEEDED), ("with psutil and msgspec", FULL)):
        if packages is FULL and python:
            continue  # compiled for this interpreter
        path = _installed(folder / name.replace(" ", "-"), packages)
        for what, code in (("its libraries alone", LIBRARIES), ("agent", "import tms_agent.__main__")):
            times, memory = _import(command, path, code)
            yield f"{name}: ms to import, {what}", times * 1e3
            yield f"{name}: MiB after the import, {what}", memory
        for what, value in asyncio.run(_run(command, path, folder, seconds)):
            yield f"{name}: {what}", value


def _installed(path: Path, packages: tuple[str, ...]) -> Path:
    path.mkdir()
    for package in packages:
        spec = find_spec(package)
        assert spec
        assert spec.submodule_search_locations
        (path / package).symlink_to(spec.submodule_search_locations[0])
    (path / "tms_agent").symlink_to(ROOT / "agent/src/tms_agent")
    return path


def _import(command: list[str], path: Path, code: str) -> tuple[float, float]:
    """The shortest of the times in seconds, because others use the machine as well, and MiB."""
    environment = {"PYTHONPATH": str(path), "PATH": os.environ["PATH"]}
    outputs = [
        subprocess.run([*command, "-c", CODE.format(code)], env=environment, capture_output=True, text=True, check=True)
        for _ in range(IMPORTS)
    ]
    times, status = zip(*(output.stdout.split(" ", 1) for output in outputs), strict=True)
    return min(map(float, times)), median(_mib(one, "VmRSS") for one in status)


async def _run(command: list[str], path: Path, folder: Path, seconds: int) -> list[tuple[str, float]]:
    certificate = _certificate(folder / "server.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with serve(_tms, "localhost", 0, ssl=context, subprotocols=[Subprotocol("tms.v1")]) as server:
        url = f"wss://localhost:{server.sockets[0].getsockname()[1]}/"
        process = await asyncio.create_subprocess_exec(
            *(*command, "-m", "tms_agent", "--url", url, "--credential", f"T-1.{'s' * 43}"),
            *("--spool", str(path / "spool")),
            env={"PYTHONPATH": str(path), "PATH": os.environ["PATH"], "SSL_CERT_FILE": str(_trusted(certificate))},
            stderr=subprocess.DEVNULL,
        )
        try:
            return await _watch(process.pid, seconds)
        finally:
            process.terminate()
            await process.wait()


async def _watch(pid: int, seconds: int) -> list[tuple[str, float]]:
    await asyncio.sleep(WARM_UP_S)
    cpu_ns, began = _cpu_ns(pid), time.monotonic()
    await asyncio.sleep(seconds)
    share = (_cpu_ns(pid) - cpu_ns) / 1e9 / (time.monotonic() - began)
    status = _status(pid)
    return [
        ("MiB resident", _mib(status, "VmRSS")),
        ("MiB of it the process's own", _mib(status, "RssAnon")),
        (f"% of a core, a report in {HEARTBEAT_S:.0f} s", share * 100),
    ]


async def _tms(connection: ServerConnection) -> None:
    """Answers a boot and acknowledges reports."""
    async for frame in connection:
        call = msgspec.json.decode(frame)
        if call.get("method") == "boot":
            now = datetime.now(UTC).isoformat()
            result = {"session": 1, "heartbeat_s": HEARTBEAT_S, "server_time": now, "acked_seq": 0}
            await connection.send(msgspec.json.encode({"jsonrpc": "2.0", "id": call["id"], "result": result}).decode())
        if call.get("method") == "report":
            await asyncio.sleep(ACKNOWLEDGED_AFTER_S)
            ack = {"jsonrpc": "2.0", "method": "ack", "params": {"seq": call["params"]["seq"]}}
            await connection.send(msgspec.json.encode(ack).decode())


def _trusted(certificate: Path) -> Path:
    """The authorities of this machine, as an agent loads them, and our own."""
    bundle = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    trusted = certificate.with_name("trusted.pem")
    trusted.write_bytes(certificate.read_bytes() + (bundle.read_bytes() if bundle.exists() else b""))
    return trusted


def _certificate(path: Path) -> Path:
    """Self-signed, for `localhost`, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def _cpu_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def _mib(status: str, name: str) -> float:
    [line] = [line for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024

"""The distribution's swupdate as an ordinary user: a folder with its configuration, keys, root and boot environment."""

import binascii
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

UNPACKED = Path(__file__).resolve().parents[3] / ".tools/swupdate"
NAMESPACE = Path(__file__).with_name("namespace.py")
PORT = 8080
"""The port of the front in the network of each updater."""
ENVIRONMENT_BYTES = 16_384
STATE_OK, INSTALLED, TESTING, FAILED = "0", "1", "2", "3"
"""What swupdate and the boot loader tell each other as `ustate`."""


def program() -> Path | None:
    """That of `scripts/system-packages`, else the installed one."""
    unpacked = UNPACKED / "usr/bin/swupdate"
    found = str(unpacked) if unpacked.exists() else shutil.which("swupdate")
    return Path(found) if found else None


def make_keys(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=test"]
    uses = ["-addext", "extendedKeyUsage=emailProtection", "-addext", "keyUsage=digitalSignature"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *uses, *files], check=True, capture_output=True)


def make_image(version: str, *, keys: Path | None, padding: int = 300_000) -> bytes:
    """An image that installs the files `version` and `padding`; signed, unless there are no keys."""
    files = {"version": version.encode(), "padding": b"\x55" * padding}
    # The current folder of swupdate is the root of its terminal.
    entries = ", ".join(
        f'{{ filename = "{name}"; path = "root/{name}"; sha256 = "{hashlib.sha256(data).hexdigest()}"; }}'
        for name, data in files.items()
    )
    text = f'software = {{ version = "{version}"; hardware-compatibility = [ "1.0" ]; files: ( {entries} ); }}'
    members = {"sw-description": text.encode()}
    if keys:
        members["sw-description.sig"] = _sign(text.encode(), keys)
    return b"".join(_member(name, data) for name, data in (members | files | {"TRAILER!!!": b""}).items())


def _sign(text: bytes, keys: Path) -> bytes:
    command = ["openssl", "cms", "-sign", "-in", "/dev/stdin", "-signer", str(keys / "cert.pem")]
    options = ["-inkey", str(keys / "key.pem"), "-outform", "DER", "-nosmimecap", "-binary"]
    return subprocess.run([*command, *options], input=text, check=True, capture_output=True).stdout


def _member(name: str, data: bytes) -> bytes:
    """A member of a cpio archive, format newc."""
    fields = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return b"".join(part + b"\0" * (-len(part) % 4) for part in (header, data))


class Updater:
    """One terminal. `boots` decides what a restart leads to: the new system, or the former one."""

    def __init__(
        self, folder: Path, *, uid: str, credential: str, keys: Path, serve: Callable[[socket.socket], None]
    ) -> None:
        self.uid, self.folder, self.keys, self.credential, self.serve = uid, folder, keys, credential, serve
        self.process: subprocess.Popen[bytes] | None = None
        self.has_restarted = False
        (folder / "root").mkdir(parents=True)
        self.version_file = folder / "root/version"
        self.version_file.write_text("1.0")
        self.write_state(STATE_OK)
        (folder / "fw_env.config").write_text(f"{folder}/boot.env 0x0 {ENVIRONMENT_BYTES:#x}\n")

    @property
    def version(self) -> str:
        return self.version_file.read_text()

    @property
    def state(self) -> str:
        content = (self.folder / "boot.env").read_bytes()[4:]
        pairs = dict(pair.split(b"=", 1) for pair in content.split(b"\0\0")[0].split(b"\0") if b"=" in pair)
        return pairs.get(b"ustate", b"").decode()

    def write_state(self, state: str) -> None:
        content = f"ustate={state}".encode().ljust(ENVIRONMENT_BYTES - 4, b"\0")
        (self.folder / "boot.env").write_bytes(struct.pack("<I", binascii.crc32(content)) + content)

    def start(self) -> None:
        (self.folder / "swupdate.cfg").write_text(
            f'globals: {{ public-key-file = "{self.keys}/cert.pem"; bootloader = "uboot";'
            f' fwenv-config-location = "{self.folder}/fw_env.config"; }};\n'
            f'identify: ( {{ name = "firmware"; value = "{self.version}"; }},'
            ' { name = "model"; value = "KX-21"; } );\n'
            f'suricatta: {{ tenant = "default"; id = "{self.uid}"; url = "http://127.0.0.1:{PORT}/ddi"; polldelay = 1;'
            f' targettoken = "{self.credential}"; }};\n'
        )
        found = program()
        assert found is not None
        libraries = {"LD_LIBRARY_PATH": str(next(UNPACKED.glob("usr/lib/*-linux-gnu*"), ""))}
        # Its sockets are in there. The path of one has at most 107 bytes; swupdate cuts a longer one without a word.
        temporary = {"TMPDIR": "."}
        ours, theirs = socket.socketpair()
        command = [found, "-H", "board:1.0", "-l", "4", "-f", "swupdate.cfg", "-u", "-S hawkbit -w 1 -r 5"]
        with (self.folder / "log").open("ab") as log, ours, theirs:
            self.process = subprocess.Popen(
                [sys.executable, NAMESPACE, str(theirs.fileno()), str(PORT), *command],
                cwd=self.folder,
                env=os.environ | libraries | temporary,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        self.serve(socket.socket(fileno=descriptors[0]))

    def kill(self) -> None:
        """It is several processes."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def restart(self, *, state: str, version: str | None = None) -> None:
        """What a boot loader does after an installation: it starts one of the two systems, and says which."""
        self.kill()
        self.has_restarted = True
        if version is not None:
            self.version_file.write_text(version)
        self.write_state(state)
        self.start()

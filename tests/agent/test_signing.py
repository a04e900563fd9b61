"""`tms-sign`: what it writes is what TMS and terminals read."""

from pathlib import Path

import pytest

from tms.artifacts.manifest import Manifest as ManifestOfTms
from tms.artifacts.manifest import SignedManifest, public_key, signers
from tms_agent.signing import main

FACTS = ["--name", "kiosk-firmware", "--version", "4.8.3", "--format", "swu", "--expires", "2099-06-01"]
MODELS = ["--model", "KX-20", "--model", "KX-21 é"]


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "kiosk.swu"
    path.write_bytes(b"firmware" * 1_000)
    for name in ("release-2026", "release-2027"):
        assert main(["keygen", name]) == 0
    return path


def sign(file: Path, *more: str) -> int:
    return main(["sign", str(file), *FACTS, *MODELS, "--key", "release-2026.key", *more])


def test_what_it_signs_is_what_tms_reads(file):
    assert sign(file, "--replaces-from", "4.7.0", "--key", "release-2027.key") == 0

    signed = SignedManifest.read(Path(f"{file}.manifest.json").read_bytes())
    manifest = ManifestOfTms.read(signed.manifest)
    keys = {name: public_key(Path(f"{name}.pub").read_text().strip()) for name in ("release-2026", "release-2027")}
    assert (manifest.models, manifest.replaces_from, manifest.size) == (("KX-20", "KX-21 é"), "4.7.0", 8_000)
    assert signers(signed.manifest, signed.signatures, keys) == ["release-2026", "release-2027"]
    assert main(["verify", str(file), "--key", "release-2026.pub"]) == 0


def test_a_changed_file_and_a_strange_key_do_not_verify(file, capsys):
    sign(file)
    assert main(["verify", str(file), "--key", "release-2027.pub"]) == 1
    file.write_bytes(b"other")
    assert main(["verify", str(file), "--key", "release-2026.pub"]) == 1

    assert "signed by release-2026; this terminal trusts release-2027" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--version", "../etc"], "--version: use at most 64 letters"),
        (["--expires", "soon"], "--expires: write the day as 2027-06-01"),
        (["--key", "kiosk.swu"], "kiosk.swu: no key"),
        (["--key", "none.key"], "none.key"),
        (["--model", ""], "--model: use 1 to 64"),
    ],
)
def test_it_says_what_is_wrong(file, more, said, capsys):
    assert sign(file, *more) == 1
    assert said in capsys.readouterr().err


def test_a_key_is_never_overwritten(file):
    key = Path("release-2026.key")
    before = key.read_text()

    assert main(["keygen", "release-2026"]) == 1
    assert (key.read_text(), key.stat().st_mode & 0o777) == (before, 0o600)

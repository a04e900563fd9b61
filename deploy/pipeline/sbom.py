"""The bill of materials of a release as CycloneDX 1.6, read from the lock files with which it is built."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from deploy.aws import account, client

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON_LOCKS = ("requirements/production.txt", "deploy/machine/supervisor.txt")
"""What build-release and the Dockerfile install."""
BROWSER_LOCK = "package-lock.json"

REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
"""A package in a lock file, with the hashes on the lines below it."""
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

type Component = dict[str, Any]


def document(version: str) -> str:
    """The bill of materials of release `version`; the same version and locks give the same serial number."""
    found = components()
    own = {"type": "application", "bom-ref": "tms", "name": "tms", "version": version}
    identity = json.dumps([version, [each["purl"] for each in found]])
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {"timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "component": own},
        "components": found,
        "dependencies": [{"ref": "tms", "dependsOn": [each["bom-ref"] for each in found]}],
    }
    return json.dumps(bill, indent=1) + "\n"


def publish(name: str, version: str, file: Path) -> str:
    """Upload the file beside the release, where it stays as long; GitHub deletes artefacts after 90 days. Returns
    its URL.
    """
    bucket, key = f"{name}-{account()}-releases", f"sboms/{version.rpartition('@')[2].replace(':', '-')}.cdx.json"
    client("s3").upload_file(str(file), bucket, key, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    return f"s3://{bucket}/{key}"


def components() -> Sequence[Component]:
    """Sorted by name, without duplicates."""
    found = {each["bom-ref"]: each for lock in PYTHON_LOCKS for each in of_python((ROOT / lock).read_text())}
    found |= {each["bom-ref"]: each for each in of_browsers((ROOT / BROWSER_LOCK).read_text())}
    return [found[ref] for ref in sorted(found)]


def of_python(lock: str) -> Iterator[Component]:
    for name, version, rest in REQUIREMENT.findall(lock):
        wheels = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(rest)]
        purl = f"pkg:pypi/{name.lower()}@{version}"
        source = {"type": "distribution", "url": purl, "hashes": wheels}
        yield _component(purl, name, version) | {"externalReferences": [source]}


def of_browsers(lock: str) -> Iterator[Component]:
    for path, package in json.loads(lock)["packages"].items():
        if not path or package.get("dev") or "esbuild" in path:  # esbuild only builds
            continue
        name = path.rpartition("node_modules/")[2]
        algorithm, _, digest = package["integrity"].partition("-")
        checksum = {"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        yield _component(purl, name, package["version"]) | {"hashes": [checksum]}


def _component(purl: str, name: str, version: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}

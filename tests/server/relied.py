"""The source code of libraries that tms.server relies on beyond their documentation.

`python -m tests.server.relied` prints a hash of each; `--accept` writes them to relied.json, after the changes were
reviewed and tms.server still fits them.
"""

import hashlib
import importlib
import inspect
import json
import sys
from importlib.metadata import version
from pathlib import Path

KNOWN = Path(__file__).with_name("relied.json")

PACKAGES = ["daphne", "twisted", "autobahn", "txaio"]

RELIED = {
    "daphne.server": [
        "Server.__init__",
        "Server.run",
        "Server.create_application",
        "Server.handle_reply",
        "Server.application_checker",
        "Server.timeout_checker",
        "Server.protocol_connected",
        "Server.protocol_disconnected",
        "Server.kill_all_applications",
        "Server.stop",
    ],
    "daphne.ws_protocol": [
        "WebSocketProtocol.onConnect",
        "WebSocketProtocol.applicationCreateWorked",
        "WebSocketProtocol.onOpen",
        "WebSocketProtocol.onMessage",
        "WebSocketProtocol.onClose",
        "WebSocketProtocol.handle_reply",
        "WebSocketProtocol.serverAccept",
        "WebSocketProtocol.check_timeouts",
        "WebSocketFactory.buildProtocol",
    ],
    "daphne.http_protocol": [
        "WebRequest.__init__",
        "WebRequest.process",
        "WebRequest.connectionLost",
        "WebRequest.finish",
        "WebRequest.handle_exception",
        "HTTPFactory.buildProtocol",
    ],
    "twisted.web.http": [
        "HTTPChannel.connectionMade",
        "HTTPChannel.resumeProducing",
        "HTTPChannel.allContentReceived",
    ],
    "twisted.internet.abstract": [
        "FileDescriptor.write",
        "FileDescriptor.writeSequence",
        "FileDescriptor.doWrite",
        "FileDescriptor.startWriting",
        "FileDescriptor.stopWriting",
        "FileDescriptor.loseConnection",
        "FileDescriptor.connectionLost",
    ],
    "twisted.internet.tcp": [
        "Connection.writeSomeData",
        "Connection.doRead",
        "Connection.connectionLost",
        "Connection.logPrefix",
        "Server.__init__",
        "Server.__repr__",
        "Port.createInternetSocket",
        "Port.startListening",
        "Port.doRead",
        "Port.loseConnection",
        "Port.connectionLost",
        "_AbortingMixin.abortConnection",
    ],
    "twisted.internet.base": ["ReactorBase.callLater", "ReactorBase.timeout", "ReactorBase.runUntilCurrent"],
    "twisted.internet.asyncioreactor": [
        "AsyncioSelectorReactor.__init__",
        "AsyncioSelectorReactor._reschedule",
        "AsyncioSelectorReactor.callLater",
        "AsyncioSelectorReactor.addWriter",
        "AsyncioSelectorReactor.removeWriter",
        "AsyncioSelectorReactor._readOrWrite",
    ],
    "autobahn.twisted.websocket": [
        "WebSocketAdapterProtocol.connectionMade",
        "WebSocketAdapterProtocol.dataReceived",
        "WebSocketAdapterProtocol._closeConnection",
    ],
    "autobahn.websocket.protocol": [
        "WebSocketProtocol.__init__",
        "WebSocketProtocol._connectionMade",
        "WebSocketProtocol._connectionLost",
        "WebSocketProtocol._dataReceived",
        "WebSocketProtocol.consumeData",
        "WebSocketProtocol.processData",
        "WebSocketProtocol.sendData",
        "WebSocketProtocol.sendFrame",
        "WebSocketProtocol.sendMessage",
        "WebSocketProtocol.sendPing",
        "WebSocketProtocol.sendClose",
        "WebSocketProtocol.sendCloseFrame",
        "WebSocketProtocol.dropConnection",
        "WebSocketProtocol.onCloseFrame",
        "WebSocketProtocol._max_message_size_exceeded",
        "WebSocketProtocol._fail_connection",
        "WebSocketServerProtocol._connectionMade",
        "WebSocketServerProtocol.processHandshake",
        "WebSocketServerProtocol.failHandshake",
        "WebSocketServerProtocol.sendHttpErrorResponse",
        "WebSocketServerProtocol.succeedHandshake",
    ],
    "txaio._common": ["_BatchedTimer.call_later"],
}


def hashes() -> dict[str, str]:
    versions = {package: version(package) for package in PACKAGES}
    return versions | {
        f"{module}.{name}": hash_of(importlib.import_module(module), name)
        for module, names in RELIED.items()
        for name in names
    }


def hash_of(owner: object, name: str) -> str:
    """The function as defined right there, not inherited."""
    for part in name.split("."):
        owner = vars(owner)[part]
    return hashlib.sha256(inspect.getsource(owner).encode()).hexdigest()[:12]  # type: ignore[arg-type]


def main() -> None:
    text = json.dumps(hashes(), indent=2) + "\n"
    if "--accept" in sys.argv:
        KNOWN.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()

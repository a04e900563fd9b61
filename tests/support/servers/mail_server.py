"""A mail server for tests: a small SMTP server (RFC 5321) that stores messages and answers as configured."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import ClassVar


@dataclass
class Mail:
    sender: str
    to: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)  # type: ignore[return-value]


@dataclass
class MailServer:
    """`refuses` maps a verb (or a recipient's address) to the line that is answered instead."""

    refuses: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)

    def __post_init__(self) -> None:
        server = self

        class Handler(Session):
            mail_server = server

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp+plain://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Session(StreamRequestHandler):
    mail_server: ClassVar[MailServer]

    def handle(self) -> None:
        self.reply("220 mail.example.com")
        sender, to = "", []
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            address = rest.partition("<")[2].partition(">")[0]
            refusal = self.mail_server.refuses.get(verb.upper()) or self.mail_server.refuses.get(address)
            if refusal == "":
                break  # hangs up
            if refusal:
                self.reply(refusal)
                continue
            match verb.upper():
                case "MAIL":
                    sender = address
                case "RCPT":
                    to.append(address)
                case "DATA":
                    self.reply("354 go ahead")
                    self.mail_server.mails.append(Mail(sender, to, self.body()))
                    if (late := self.mail_server.refuses.get("END")) is not None:
                        if not late:
                            break
                        self.reply(late)
                        continue
                case "QUIT":
                    self.reply("221 bye")
                    break
            self.reply("250 fine")

    def body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def serving_mail() -> Iterator[MailServer]:
    server = MailServer()
    try:
        yield server
    finally:
        server.close()

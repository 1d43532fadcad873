"""The mailboxes behind integrations of the type email: servers of one's own, or none, which is where mail stays here.

Credentials are never stored; a test or a program that wants real servers names them in its own process::

    stub.mailboxes["integration_1"].connect(smtp=("127.0.0.1", 2525), imap=("127.0.0.1", 1143), username="ada", ...)

Without servers a mailbox is a part of the stub: `deliver` puts a message into it, `sent` has what went out.
"""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from ..data.collection import Collection
from ..data.document import Document
from .remotes import ConnectionLostError

if TYPE_CHECKING:
    from ..core import StubServer

MESSAGES = "mailbox_message"
"""The collection with the messages of the mailboxes that have no server: `folder`, `uid`, `raw`."""
_SENT = "Sent"
_TIMEOUT = 10
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Servers:
    """The servers of a mailbox, each as host and port."""

    smtp: Address | None
    imap: Address | None
    username: str
    password: str


class Mailbox:
    """The mailbox of one integration."""

    def __init__(self, boxes: Mailboxes, tenant_id: str, integration_id: str) -> None:
        self._boxes = boxes
        self._key = (tenant_id, integration_id)
        self._place = integration_id

    @property
    def _servers(self) -> _Servers | None:
        return self._boxes.servers.get(self._key)

    def connect(
        self, *, smtp: Address | None = None, imap: Address | None = None, username: str = "", password: str = ""
    ) -> None:
        """Send by an SMTP server and fetch from an IMAP server from now on, in this process."""
        self._boxes.servers[self._key] = _Servers(smtp, imap, username, password)

    def deliver(self, raw: bytes | EmailMessage, folder: str = "INBOX") -> None:
        """Put a message into a folder of a mailbox without a server."""
        records = self._boxes.messages(self._key[0])
        uid = 1 + max((doc["uid"] for doc in records.find("place", self._place)), default=0)
        content = raw if isinstance(raw, bytes) else raw.as_bytes()
        records.put(Document(id=f"{self._place}/{uid}", place=self._place, folder=folder, uid=uid, raw=content))

    def sent(self) -> list[bytes]:
        """Return the messages that a mailbox without a server has sent, the oldest first."""
        return [raw for _, raw in self.fetch(_SENT)]

    def send(self, message: EmailMessage, sender: str, recipients: Sequence[str]) -> Mapping[str, str]:
        """Hand a message over; return the recipients that were refused, each with what the server said.

        Raises: ConnectionLostError where the server cannot be reached, or takes no message from here.
        """
        servers = self._servers
        if servers is None or servers.smtp is None:
            self.deliver(message, _SENT)
            return {}
        try:
            with smtplib.SMTP(*servers.smtp, timeout=_TIMEOUT) as connection:
                connection.ehlo()
                if servers.username and connection.has_extn("auth"):
                    connection.login(servers.username, servers.password)
                return _refusal_texts(connection.send_message(message, sender, list(recipients)))
        except smtplib.SMTPRecipientsRefused as error:
            return _refusal_texts(error.recipients)
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectionLostError(str(error)) from error

    def fetch(self, folder: str, after: int = 0) -> list[tuple[int, bytes]]:
        """Return the messages of a folder with a greater UID than one, each with its UID.

        Raises: ConnectionLostError where the server cannot be reached, or does not let us in.
        """
        servers = self._servers
        if servers is None or servers.imap is None:
            found = self._boxes.messages(self._key[0]).find("place", self._place)
            return [(doc["uid"], doc["raw"]) for doc in found if doc["folder"] == folder and doc["uid"] > after]
        with _reach(servers, servers.imap) as connection:
            state, _ = connection.select(_quoted_folder(folder), readonly=True)
            if state != "OK":
                return []  # there is no such folder
            _, answer = connection.uid("SEARCH", f"UID {after + 1}:*")
            numbers = [int(word) for word in (answer[0] or b"").split()] if answer else []
            return [(uid, _message(connection, uid)) for uid in sorted(numbers) if uid > after]


def _refusal_texts(refused: Mapping[str, tuple[int, bytes]]) -> dict[str, str]:
    return {address: f"{code} {text.decode('utf-8', 'replace')}" for address, (code, text) in refused.items()}


def _quoted_folder(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextmanager
def _reach(servers: _Servers, address: Address) -> Generator[imaplib.IMAP4]:
    try:
        with imaplib.IMAP4(*address, timeout=_TIMEOUT) as connection:
            connection.login(servers.username, servers.password)
            yield connection
    except (imaplib.IMAP4.error, OSError) as error:
        raise ConnectionLostError(str(error)) from error


def _message(connection: imaplib.IMAP4, uid: int) -> bytes:
    answer: Any = connection.uid("FETCH", str(uid), "(BODY.PEEK[])")[1]
    pairs: list[tuple[bytes, bytes]] = [part for part in answer if isinstance(part, tuple)]
    return pairs[0][1] if pairs else b""


class Mailboxes:
    """The mailboxes of the integrations of one company."""

    def __init__(self, server: StubServer, tenant_id: str = "tenant_acme") -> None:
        self._server = server
        self._tenant_id = tenant_id
        self.servers: dict[tuple[str, str], _Servers] = {}
        """The servers that this process knows."""

    def __getitem__(self, integration_id: str) -> Mailbox:
        return self.of(self._tenant_id, integration_id)

    def of(self, tenant_id: str, integration_id: str) -> Mailbox:
        """Return the mailbox of an integration of another company."""
        return Mailbox(self, tenant_id, integration_id)

    def messages(self, tenant_id: str) -> Collection:
        """Return the messages of a company's mailboxes without servers."""
        return self._server.store.collection(tenant_id, MESSAGES)

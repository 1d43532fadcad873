"""The outbox: one adapter per channel, which hands messages to a service, and the record of what they handed over.

By default the adapters only record messages, for tests: ``stub.outbox.messages``. ``stub.outbox.relay("localhost",
2525)`` hands e-mails to an SMTP server; ``stub.outbox.use("sms", take)`` hands the messages of a channel to a function.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, TypeAlias

from ..data.store import Store

_TIMEOUT = 5.0
"""The seconds that an SMTP server has to take a message."""
_PROVIDERS: Mapping[str, str] = {
    "email": "stub-mail", "sms": "stub-sms", "push": "stub-push", "in_app": "inbox", "chat": "stub-chat",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that goes with an e-mail."""

    name: str
    content_type: str
    read: Callable[[], bytes] = field(compare=False, repr=False)
    """Returns the content."""

    def attach_to(self, mail: EmailMessage) -> None:
        """Add the file to a message."""
        main, _, sub = self.content_type.partition(";")[0].partition("/")
        mail.add_attachment(self.read(), maintype=main, subtype=sub or "octet-stream", filename=self.name)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message as it left the company."""

    notification_id: str
    tenant_id: str
    channel: str
    recipient: str
    """The address, the number, or the id of the user."""
    title: str
    text: str
    html: str | None
    at: datetime
    sender: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The headers of an e-mail beside those of its other members."""
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    files: Sequence[OutgoingFile] = ()


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 # an adapter raises it as an answer of the service, as a Problem is one of a rule
    """Raised by an adapter whose service does not take a message."""

    code: str
    message: str
    permanent: bool = False
    """Whether the message bounced: another attempt would fail as well."""


Adapter: TypeAlias = Callable[[OutgoingMessage], None]


class Outbox:
    """``stub.outbox``: what was sent, and what takes it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.messages: list[OutgoingMessage] = []
        """The messages that were handed over, oldest first."""
        self._adapters: dict[str, tuple[str, Adapter]] = {}
        self._refusals: dict[str, list[Refusal]] = {}

    def use(self, channel: str, take: Adapter, *, provider: str | None = None) -> None:
        """Hand the messages of a channel to a function, which raises `Refusal` for one that it does not take."""
        self._adapters[channel] = (provider or str(getattr(take, "__name__", channel)), take)

    def relay(self, host: str, port: int) -> None:
        """Hand e-mails to an SMTP server from now on, within the call that sends them."""

        def send(message: OutgoingMessage) -> None:
            _by_smtp(host, port, message)

        self.use("email", send, provider=f"smtp://{host}:{port}")

    def refuse(
        self, recipient: str, *, times: int = 1, code: str = "SERVICE_UNAVAILABLE", bounce: bool = False
    ) -> None:
        """Refuse the next messages to an address; with `bounce` for good."""
        why = Refusal(code, f"{recipient} was refused", bounce)
        self._refusals.setdefault(recipient, []).extend([why] * times)

    def hand_over(self, message: OutgoingMessage) -> str:
        """Hand a message to the service of its channel and return the service's name. Raises: Refusal.

        Where the call is undone, so is this; but what an adapter took has left, and stays among the messages.
        """
        waiting = self._refusals.get(message.recipient)
        if waiting:
            refusal = waiting.pop(0)
            self._store.undo_with(lambda: waiting.insert(0, refusal))
            raise refusal
        provider, take = self._adapters.get(message.channel, (_PROVIDERS[message.channel], None))
        if take is not None:
            take(message)
        else:
            self._store.undo_with(lambda: self._take_back(message))
        self.messages.append(message)
        return provider

    def _take_back(self, message: OutgoingMessage) -> None:
        self.messages[:] = [one for one in self.messages if one is not message]

    def snapshot(self) -> Any:
        """Return what was sent and what is refused, for `restore`; the adapters stay."""
        return list(self.messages), {name: list(found) for name, found in self._refusals.items()}

    def restore(self, state: Any) -> None:
        """Go back to a snapshot."""
        messages, refusals = state
        self.messages[:] = messages
        self._refusals = {name: list(found) for name, found in refusals.items()}


def _by_smtp(host: str, port: int, message: OutgoingMessage) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = message.sender, message.recipient, " ".join(message.title.split())
    mail["Date"], mail["Message-ID"] = format_datetime(message.at), f"<{message.notification_id}@crm.test>"
    if message.cc:
        mail["Cc"] = ", ".join(message.cc)
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    for file in message.files:
        file.attach_to(mail)
    try:
        with smtplib.SMTP(host, port, timeout=_TIMEOUT) as server:
            server.send_message(mail, to_addrs=[message.recipient, *message.cc, *message.bcc])
    except smtplib.SMTPRecipientsRefused as error:
        status, text = next(iter(error.recipients.values()))
        raise Refusal(str(status), text.decode("utf-8", "replace"), permanent=status >= 500) from None
    except smtplib.SMTPResponseException as error:
        said: bytes | str = error.smtp_error
        answer = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise Refusal(str(error.smtp_code), answer, permanent=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Refusal("CONNECTION_FAILED", str(error) or type(error).__name__) from None

"""Communication: e-mails to send, and the way into a meeting."""

from __future__ import annotations

from typing import Annotated, Literal, Required, TypeAlias

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict

from .activity_inputs import EmailAddressInput, LongText
from .marks import INPUT
from .record import Model
from .values import NOT_BLANK, LanguageTag

Recipient: TypeAlias = Annotated[str, Field(min_length=1, max_length=254)] | EmailAddressInput
"""An address, or the id of a contact, a lead or a user."""
EmailSort: TypeAlias = Literal["id", "occurred_at", "sent_at", "subject", "created_at", "updated_at"] | str
EmailInclude: TypeAlias = Literal["thread", "images"] | str
Grouping: TypeAlias = Literal["thread"] | str
CallSort: TypeAlias = Literal["id", "start_time", "duration_seconds", "created_at", "updated_at"] | str
ToDial: TypeAlias = Annotated[str, Field(min_length=1, max_length=50)]
MailFolder: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK, max_length=200)]
"""The name of a folder of a mailbox, as its server has it."""


@with_config(INPUT)
class EmailSend(TypedDict, total=False):
    """An e-mail to send: who it goes to, and either a subject and a text, or a template."""

    to: Required[Annotated[list[Recipient], Field(min_length=1, max_length=100)]]
    """The recipients: addresses, or ids of contacts, leads and users."""
    cc: Annotated[list[Recipient], Field(max_length=100)]
    """The recipients of a copy."""
    bcc: Annotated[list[Recipient], Field(max_length=100)]
    """The recipients of a copy whom the others do not see."""
    subject: Annotated[str, Field(pattern=NOT_BLANK, max_length=998)] | None
    """Needed where neither a template nor the e-mail it answers has one."""
    body_text: LongText | None
    body_html: LongText | None
    template_id: str | None
    """The template that makes subject and text."""
    variables: dict[str, Annotated[str, Field(max_length=10_000)]]
    """Values for the variables of the template."""
    attachments: Annotated[list[str], Field(max_length=100)]
    """Ids of files, together at most 25 MB."""
    reply_to_email_id: str | None
    """The e-mail it answers, whose thread it continues."""
    integration_id: str | None
    """The mailbox to send from."""
    contact_id: str | None
    lead_id: str | None
    deal_id: str | None
    send_at: AwareDatetime | None
    """When it is to be sent; without it now."""
    track_opens: bool
    """Whether opens are counted."""
    track_clicks: bool
    """Whether clicks on links are counted."""
    language: LanguageTag | None
    """The language of the template's text; without it that of the recipient."""


class MeetingJoin(Model):
    """The way into a meeting."""

    meeting_id: str
    join_url: str
    """The link, with the token."""
    role: Literal["host", "attendee", "guest"] | str
    """As what the caller takes part."""
    token: str
    """The token of this participant."""
    expires_at: AwareDatetime
    """When the token ends: 15 minutes after the meeting."""
    dial_in: str | None = None
    """The telephone number of the meeting."""
    passcode: str | None = None
    """What to enter after dialling in."""

"""Shares: who else may use a record, and links that need no account."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime

from .marks import Default
from .record import Record
from .values import EntityRef

Access: TypeAlias = Literal["view", "comment", "edit", "manage"] | str
"""What somebody may do with a record; each includes those before it."""
ShareSubject: TypeAlias = Literal["user", "team", "role", "email", "link"] | str


class Share(Record):
    """A record that is shared with somebody."""

    entity: EntityRef | None = None
    """The record that is shared."""
    subject_type: ShareSubject | None = None
    """Whether it is shared with a user, a team, a role, an e-mail address, or whoever has the link."""
    subject_id: str | None = None
    """Id of the user, team or role, or the address; none for a link."""
    subject_name: str | None = None
    """Who it is shared with."""
    access: Annotated[Access | None, Default("view")] = None
    """What they may do with it."""
    message: str | None = None
    """What the giver says about it."""
    expires_at: AwareDatetime | None = None
    """When the access ends."""
    notify: Annotated[bool | None, Default(True)] = None
    """Whether the receiver is notified."""
    include_related: Annotated[bool | None, Default(False)] = None
    """Whether what belongs to the record is shared as well."""
    url: str | None = None
    """The address of the file for whoever has it; of links and e-mail addresses only."""
    password_protected: Annotated[bool | None, Default(False)] = None
    """Whether the link asks for a password."""
    max_downloads: int | None = None
    """How often the link can be used."""
    download_count: Annotated[int | None, Default(0)] = None
    """How often the link has been used."""
    active: Annotated[bool | None, Default(True)] = None
    """Whether it gives access now: it has not expired, ended or been used up."""

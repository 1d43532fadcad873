"""Communication: e-mails that are sent and received, telephone calls, meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field
from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.activities import CalendarEvent, Call, CallOutcome, CallStatus, Direction, Email, EmailFolder
    from ..models.activity_inputs import CallCreate, CallUpdate, GuestAddress
    from ..models.calendar import CalendarEventCreate, CalendarEventUpdate
    from ..models.communication import (
        CallSort,
        EmailInclude,
        EmailSend,
        EmailSort,
        Grouping,
        MailFolder,
        MeetingJoin,
        ToDial,
    )
    from ..models.message_templates import MessageTemplate, TemplateSort
    from ..models.messages import TemplateCategory
    from ..models.sync_runs import SyncMode, SyncRun
    from ..models.values import LanguageTag

_MEETING = "/communication/meetings/{meeting_id}"
_FORCED = {"force": "Book it although somebody is busy then.", "notify": "Tell those who attend."}
_PERIOD = {"since": "Only those at this time or later.", "until": "Only those before this time."}


class EmailTemplates(Resource[Mode]):
    """The templates of e-mails."""

    @paginated(
        platform="GET /communication/email/templates",
        texts={"language": "Only templates in this language.", "active": "Only those in use, or only the others."},
    )
    def list(
        self,
        *,
        category: TemplateCategory | None = None,
        language: LanguageTag | None = None,
        active: bool | None = None,
        sort: TemplateSort | None = None,
        search: str | None = None,
        **common: Unpack[Sorting],
    ) -> Page[MessageTemplate]:
        """List the templates of e-mails, the newest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class CommunicationEmail(Resource[Mode]):
    """E-mails that are sent and received."""

    templates: EmailTemplates[Mode] = part(EmailTemplates)

    @operation(
        platform="POST /communication/email/send",
        status=202,
        action="create",
        errors=(
            "RECIPIENT_OPTED_OUT", "NO_ADDRESS", "MISSING_VARIABLE", "TEMPLATE_SYNTAX", "LIMIT_EXCEEDED",
            "FILE_TOO_LARGE", "INTEGRATION_NOT_CONNECTED",
        ),
    )  # fmt: skip
    def send(self, email: EmailSend) -> Email:
        """Send an e-mail now or at `send_at`; its `status` tells what became of it.

        It is kept with the contact and the deal it concerns, and in the thread of what it answers. A template is filled
        from them (``{{contact.first_name}}``, ``{{deal.title}}``, ``{{sender.name}}``) and from `variables`.

        Raises: ConflictError where a recipient wants no e-mail (`details.recipients`), or for a mailbox that is not
        connected; ValidationError for a recipient without an address, or a variable without a value;
        PermissionDeniedError where as many were sent today as the plan has.
        """

    @paginated(
        platform="GET /communication/email/inbox",
        texts={
            "folder": "The folder.",
            "unread": "Only those that were not read, or only those that were.",
            "from_address": "The address of the sender.",
            "thread_id": "The id of a thread.",
            "integration_id": "The mailbox.",
            "group_by": "By `thread`: only the newest e-mail of each, with the thread itself.",
            **_PERIOD,
        },
    )
    def inbox(
        self,
        *,
        folder: EmailFolder = "inbox",
        unread: bool | None = None,
        from_address: str | None = None,
        contact_id: str | None = None,
        deal_id: str | None = None,
        thread_id: str | None = None,
        integration_id: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        group_by: Grouping | None = None,
        sort: EmailSort | None = None,
        search: str | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Email]:
        """List the e-mails of a folder, the newest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(
        platform="GET /communication/email/{email_id}",
        texts={
            "include": "The `thread` it is in, and remote `images`; of one we sent, the e-mail as it went out.",
            "mark_read": "Note that it was read.",
        },
    )
    def get(self, email_id: str, *, include: Sequence[EmailInclude] | None = None, mark_read: bool = False) -> Email:
        """Fetch an e-mail. Its HTML has nothing that could run, and remote images only where they are asked for.

        Raises: NotFoundError, also for an e-mail of somebody else's mailbox.
        """

    @operation(
        platform="POST /communication/email/sync",
        status=202,
        action="update",
        errors=("INTEGRATION_NOT_CONNECTED", "SYNC_IN_PROGRESS"),
        texts={
            "integration_id": "The mailbox; without it the caller's only one.",
            "since": "Only e-mails of this time or later.",
            "folders": "The folders to fetch from; without it the inbox and what was sent.",
            "mode": "Only what is new since the last time, or everything.",
        },
    )
    def sync(
        self,
        integration_id: str | None = None,
        *,
        since: AwareDatetime | None = None,
        folders: Annotated[Sequence[MailFolder], Field(max_length=50)] | None = None,
        mode: SyncMode = "incremental",
    ) -> SyncRun:
        """Fetch new e-mails from a mailbox: each once, in its thread, with whoever has the address.

        Raises: ConflictError for a mailbox that is not connected, or while a run is under way; ValidationError where
        the caller has several mailboxes, or none.
        """


class CommunicationCalls(Resource[Mode]):
    """Telephone calls: dialled from here, or logged."""

    @operation(platform="POST /communication/calls")
    def create(self, call: CallCreate) -> Call:
        """Log a call; without a contact or a lead it is that of whoever has the number.

        Raises: ValidationError, also for an end before the start.
        """

    @operation(platform="GET /communication/calls/{call_id}")
    def get(self, call_id: str) -> Call:
        """Fetch a call.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /communication/calls/{call_id}", errors=("CALL_ENDED",))
    def update(self, call_id: str, changes: CallUpdate | Call, *, version: int | None = None) -> Call:
        """Change a call: members that are left out stay, null clears.

        Raises: NotFoundError; ConflictError for another status of a call that has ended, or when `version` differs;
        ValidationError.
        """

    @operation(
        platform="POST /communication/calls/dial",
        status=202,
        action="create",
        errors=("INVALID_PHONE", "RECIPIENT_OPTED_OUT", "NO_TELEPHONY", "USER_BUSY"),
        texts={
            "to_number": "The number to call; without it that of the contact, the lead or the deal's contact.",
            "from_number": "The number that the call comes from.",
            "record": "Record the call.",
        },
    )
    def dial(
        self,
        to_number: ToDial | None = None,
        *,
        contact_id: str | None = None,
        lead_id: str | None = None,
        deal_id: str | None = None,
        from_number: ToDial | None = None,
        record: bool = False,
    ) -> Call:
        """Call somebody through the company's telephone system; the call's `status` follows what happens.

        Raises: ConflictError where they want no calls, the company has no telephone system, or the caller is in a call;
        ValidationError without a number, or for one that cannot be dialled.
        """

    @paginated(
        platform="GET /communication/calls/history",
        texts={
            "number": "A number that called or was called, in any notation.",
            "min_duration": "The shortest duration, in seconds.",
            **_PERIOD,
        },
    )
    def history(
        self,
        *,
        direction: Direction | None = None,
        status: CallStatus | None = None,
        outcome: CallOutcome | None = None,
        owner_id: str | None = None,
        contact_id: str | None = None,
        lead_id: str | None = None,
        deal_id: str | None = None,
        number: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        min_duration: Annotated[int, Field(ge=0, le=2_592_000)] | None = None,
        sort: CallSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Call]:
        """List calls, the latest start first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class CommunicationMeetings(Resource[Mode]):
    """Meetings: events of the type meeting, with a link to join by."""

    @operation(
        platform="POST /communication/meetings",
        errors=("SCHEDULE_CONFLICT",),
        texts={"add_link": "Make a link to join by, where none is given.", **_FORCED},
    )
    def create(
        self, event: CalendarEventCreate, *, add_link: bool = True, notify: bool = True, force: bool = False
    ) -> CalendarEvent:
        """Create a meeting and invite those who attend, with an iCalendar file.

        Raises: ConflictError where the host or an attendee of the company is busy (`details` has the conflicts and
        suggestions); ValidationError.
        """

    @operation(platform=f"GET {_MEETING}")
    def get(self, meeting_id: str) -> CalendarEvent:
        """Fetch a meeting.

        Raises: NotFoundError, also for an event of another type.
        """

    @operation(platform=f"PUT {_MEETING}", errors=("SCHEDULE_CONFLICT", "ACTIVITY_CLOSED"), texts=_FORCED)
    def update(
        self,
        meeting_id: str,
        changes: CalendarEventUpdate | CalendarEvent,
        *,
        notify: bool = True,
        force: bool = False,
        version: int | None = None,
    ) -> CalendarEvent:
        """Change a meeting; at a new time those who attend are asked again.

        Raises: NotFoundError; ConflictError where somebody is busy then and there is no `force`, for a meeting that is
        over, or when `version` differs; ValidationError.
        """

    @operation(
        platform=f"DELETE {_MEETING}",
        errors=("ACTIVITY_CLOSED",),
        destroys=False,
        texts={"reason": "Why it is off.", "notify": "Tell those who were to attend."},
    )
    def cancel(
        self,
        meeting_id: str,
        *,
        reason: Annotated[str, Field(max_length=500)] | None = None,
        notify: bool = True,
    ) -> CalendarEvent:
        """Cancel a meeting; it stays as a record. One that is cancelled already does not change.

        Raises: NotFoundError; ConflictError for a meeting that is over.
        """

    @operation(
        platform=f"POST {_MEETING}/join",
        status=200,
        errors=("MEETING_NOT_OPEN", "MEETING_CANCELLED", "NOT_AN_ATTENDEE", "NO_MEETING_LINK"),
        texts={"email": "The address by which the caller attends, or that of a guest who has the link."},
    )
    def join(self, meeting_id: str, *, email: GuestAddress | None = None) -> MeetingJoin:
        """Join a meeting, from 15 minutes before its start to its end; an attendee has accepted by it.

        Raises: NotFoundError; PermissionDeniedError for who is neither host nor attendee; ConflictError outside of its
        time (`details.opens_at`), for a cancelled meeting, and for one without a link.
        """


class Communication(Resource[Mode]):
    """E-mails, telephone calls and meetings."""

    email: CommunicationEmail[Mode] = part(CommunicationEmail)
    calls: CommunicationCalls[Mode] = part(CommunicationCalls)
    meetings: CommunicationMeetings[Mode] = part(CommunicationMeetings)

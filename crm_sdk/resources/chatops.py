"""ChatOps: a conversation over the company's own data, by commands and questions; what writes is confirmed first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, List

from pydantic import Field

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.chatops import ChatChannel, ChatCommand, ChatContext, ChatMessage, ChatText
    from ..models.values import LanguageTag

_WRITES = (
    "ACCOUNT_EXISTS", "ACTIVITY_CLOSED", "CALL_ENDED", "CONTACT_EXISTS", "DEAL_CLOSED", "DUPLICATE_VALUE",
    "EMAIL_EXISTS", "EMAIL_SENT", "HIERARCHY_CYCLE", "HIERARCHY_TOO_DEEP", "INVALID_PHONE", "LEAD_CONVERTED",
    "LIMIT_EXCEEDED", "LOST_REASON_REQUIRED", "NO_SLOT_AVAILABLE", "PIPELINE_INACTIVE", "PLAN_DONE", "PLAN_EXPIRED",
    "RECORD_MERGED", "REFERENCE_NOT_FOUND", "SCHEDULE_CONFLICT", "STAGE_BACKWARD_FORBIDDEN", "STAGE_FIELDS_MISSING",
    "STAGE_NOT_IN_PIPELINE", "STAGE_SKIP_FORBIDDEN", "SUBJECT_ERASED", "TYPE_MISMATCH", "UNKNOWN_FIELD",
    "VERSION_CONFLICT",
)  # fmt: skip
"""The error codes of what a plan can write."""


class Chatops(Resource[Mode]):
    """A conversation over the company's own data."""

    @operation(
        platform="POST /chatops/messages",
        status=201,
        rate="ai",
        ours=True,
        errors=("REFERENCE_NOT_FOUND", "NOT_FOUND", "LIMIT_EXCEEDED", *_WRITES),
        texts={
            "text": "A command, such as /list deal over 10k, or a question.",
            "session_id": "The conversation to go on with; without it a new one begins.",
            "context": "The record that `it` means.",
            "channel": "Where the conversation takes place.",
            "on_behalf_of": "The id or the e-mail address of the user for whom a bot asks.",
            "language": "The language of the answer: en, de, es or ar.",
        },
    )
    def send(
        self,
        text: ChatText,
        *,
        session_id: Annotated[str, Field(max_length=100)] | None = None,
        context: ChatContext | None = None,
        channel: ChatChannel = "api",
        on_behalf_of: Annotated[str, Field(max_length=254)] | None = None,
        language: LanguageTag | None = None,
    ) -> ChatMessage:
        """Send a message and return the assistant's answer. What would write is a plan, which `confirm` carries out.

        A text that is not understood is answered with the nearest commands. A conversation that was silent for 30
        minutes begins anew.

        Raises: NotFoundError for the conversation of somebody else; PermissionDeniedError for a command that the role
        does not permit; ValidationError for a blank text or one of more than 4,000 characters, or an unknown user.
        """

    @operation(
        platform="POST /chatops/messages/{message_id}/confirm",
        rate="ai",
        ours=True,
        action="create",
        errors=("NO_PLAN", *_WRITES),
        texts={
            "message_id": "The answer with the plan.",
            "accept": "Whether the plan is carried out; else it is cancelled.",
        },
    )
    def confirm(self, message_id: str, *, accept: bool = True) -> ChatMessage:
        """Carry out the plan of an answer, all of it or nothing, or cancel it. Only the one who asked can.

        Raises: NotFoundError; ConflictError for a plan that is done, cancelled or older than ten minutes, or when a
        record was changed since; ValidationError for an answer without a plan; and what the writes themselves raise.
        """

    @operation(platform="GET /chatops/commands", rate="ai", ours=True, action="create")
    def commands(self) -> List[ChatCommand]:
        """List the commands that the caller may use."""

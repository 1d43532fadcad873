"""Privacy: the data of one person, to hand them out or to erase them.

The documents ask for it and name no routes: these routes are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import job
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.jobs import Job
    from ..models.privacy import Confirmation, ErasureReason, PrivacyFormat, PrivacyReport, Subject

_SUBJECT = "The person: an address, or a contact or a lead."
_ERRORS = ("NOT_A_SUBJECT", "REFERENCE_NOT_FOUND", "PRIVACY_IN_PROGRESS")


class Privacy(Resource[Mode]):
    """The data of one person: access and erasure (GDPR, articles 15, 17 and 20)."""

    @job(
        platform="POST /privacy/export",
        action="manage",
        ours=True,
        errors=_ERRORS,
        texts={
            "subject": _SUBJECT,
            "format": "The format of the files in the archive.",
            "include_files": "Whether the files of the person are in the archive, too.",
        },
    )
    def export(
        self, subject: Subject, *, format: PrivacyFormat = "json", include_files: bool = True
    ) -> Job[PrivacyReport]:
        """Put everything that is known of a person into an archive, which is kept for 7 days.

        The person is ``{"email": …}``, or ``{"entity": {"type": "contact", "id": …}}``.

        It has one JSON file for each kind of records: the contacts and leads that are the person, and all that refers
        to them. Nothing is changed. Of a person of whom nothing is known there is no archive.

        Raises: ValidationError for no subject or two, for a user's address, an unknown record; ConflictError while
        another request about the person runs.
        """

    @job(
        platform="POST /privacy/erase",
        action="manage",
        ours=True,
        errors=(*_ERRORS, "CONFIRMATION_REQUIRED", "LEGAL_HOLD"),
        texts={
            "subject": _SUBJECT,
            "dry_run": "Whether to say only what would be erased.",
            "confirm": "The address of the person, or the id where there is no address: needed to really erase.",
            "reason": "Why, for the audit trail; what tells of the person is left out of it.",
            "block": "Whether the addresses are refused from then on, with 409 `SUBJECT_ERASED`.",
        },
    )
    def erase(
        self,
        subject: Subject,
        *,
        dry_run: bool = True,
        confirm: Confirmation | None = None,
        reason: ErasureReason | None = None,
        block: bool = True,
    ) -> Job[PrivacyReport]:
        """Erase a person for good; by default only say what would be erased.

        The contacts and leads that are the person are purged, and what refers to them loses what tells of the person;
        deals and sums stay. Afterwards the person is in no answer, search, file, notification or stored answer; the
        audit trail keeps who did what and when. The job cannot be stopped.

        Raises: ValidationError without `confirm` where it is no dry run, and as `export`; ConflictError
        (``LEGAL_HOLD``) where a record must be kept, and while another request about the person runs.
        """

"""A company that another one founds: its first admin is invited, and seconds later it is set up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ... import timetable
from ...data.document import Document
from ...serving import Collections, Context
from ...timetable import Appointment, falls_due
from ..users.records import create
from .finding import tell

_SETTING_UP = timedelta(seconds=2)
"""How long a company is set up on the stub's clock."""


def invite_admin(there: Context) -> Document:
    """Invite the first admin of a company."""
    tenant = there.tenant
    local = str(tenant["admin_email"]).partition("@")[0]
    name = tenant["admin_name"] or local.replace(".", " ").title()
    return create(there, {"email": tenant["admin_email"], "name": name, "role": "admin"})


def _ready_at(collections: Collections) -> Iterator[datetime]:
    tenant = collections("tenant").first()
    if tenant is not None and tenant["status"] == "provisioning":
        yield tenant["created_at"] + _SETTING_UP


PROVISIONING = Appointment("tenant provisioning", _ready_at)


@falls_due(PROVISIONING)
def activate(call: Context) -> None:
    """Make a company active that has been set up."""
    tenant = call.tenant
    changes = {"status": "active", "version": tenant["version"] + 1, "updated_at": call.now}
    call.collection("tenant").put(tenant | changes)
    manager = tenant["managed_by"]
    outside = timetable.system_call(call.server, manager, call.now, call.operation) if manager is not None else call
    tell(outside, call, "tenant.provisioned")

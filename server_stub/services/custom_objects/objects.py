"""Custom objects as a whole: made with their fields, deleted with everything that belongs to them."""

from __future__ import annotations

from crm_sdk.resources.custom_objects import CustomObjects

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members, serves
from .definitions import OBJECTS, fields_of, names, records_of, relationships_of
from .fields import add_all
from .relationships import drop
from .stored import RECORDS


@serves(CustomObjects.create)
def create(call: Context, custom_object: Members) -> Document:
    """Define a custom object with its fields: all of it, or nothing."""
    given = {name: value for name, value in custom_object.items() if name != "fields"}
    members = OBJECTS.stored_form(call, given)
    fields = custom_object.get("fields") or ()
    return OBJECTS.answer(call, OBJECTS.add(call, members, parts=lambda doc: add_all(call, doc, fields)))


@serves(CustomObjects.delete)
def delete(call: Context, object_id: str, force: bool) -> str:
    """Delete a custom object with its fields, its relationships, and with `force` its records; return its id."""
    found = OBJECTS.writable(call, object_id, "delete")
    records = records_of(call, found["id"])
    if records and not force:
        message = f"{found['label']} has {len(records)} records: delete them, too, with force"
        raise Problem("OBJECT_HAS_RECORDS", message, details={"record_count": len(records)})
    fields = call.collection("field")
    pointing = [one for one in fields.find("reference_to", found["api_name"]) if one["object_id"] != found["id"]]
    if pointing:
        message = f"{names(pointing)} of other objects refer to {found['label']}: delete the fields first"
        raise Problem("OBJECT_REFERENCED", message, details={"field_ids": [one["id"] for one in pointing]})
    for doc in records:
        RECORDS.publish(call, "deleted", call.delete("record", doc))
    for relationship in relationships_of(call, found["id"]):
        live = call.collection("object_relationship").get(relationship["id"])
        if live is not None:  # the inverse of an earlier one went with it
            drop(call, live)
    for field in fields_of(call, found["id"]):
        call.delete("field", field)
    OBJECTS.remove(call, found)
    return str(found["id"])

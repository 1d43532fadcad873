"""The fields by which the records of an entity are found through a view, or for an export."""

from __future__ import annotations

from ...data.queries.query import member
from ...problems import Problem
from ...request.reading.views import Known, knows_fields
from ...serving import Context
from ..reports.sources import source_of
from .describing import filter_types


@knows_fields
def view_fields(call: Context, name: str) -> Known:
    """Return the fields by which the records of an entity are found, and what returns the value of one."""
    entity = call.server.entities.find(call, name)
    assert entity is not None  # a layout, or an export, is of one
    try:
        source = source_of(call, entity.name)
    except Problem:
        return filter_types(call, entity), member
    return {**source.types, **filter_types(call, entity)}, source.value_of(call)

"""The rules of field mappings: what can be mapped to what, and what mappings make of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_sdk.models.integration_mappings import FieldMapping
from crm_sdk.resources.integrations import IntegrationMappings

from ...data.blanks import blank
from ...data.document import Document
from ...noun import Noun
from ...outside.remotes import FIELDS, FIXED
from ...problems import FieldError, Problem, validation
from ...request.reading.intake import arguments_of
from ...serving import Context, Members, serves
from .entities import is_writable, noun_of, path_of, required_members, stored_value, type_of
from .records import INTEGRATIONS
from .transforms import inbound, is_one_way, outward, places_of, result_type

_PARAMETERS = ("lookup", "template")
"""The transforms that need a member of the same name."""


def brings(mapping: Members, direction: str) -> bool:
    """Return whether a mapping brings values in a direction."""
    return mapping["direction"] in (direction, "bidirectional")


def faults_of(call: Context, mapping: Members) -> Iterator[FieldError]:
    """Yield what is wrong with a mapping: unknown fields, members that cannot be written, values of another type."""
    noun = noun_of(call, mapping["entity_type"])
    source, target, transform = mapping["source_field"], mapping["target_field"], mapping["transform"]
    if transform in _PARAMETERS and not mapping[transform]:
        yield FieldError(transform, "required", f"the transform {transform} needs it")
    for name in places_of(mapping["template"] or "") if transform == "template" else ():
        known = FIELDS.keys() if mapping["direction"] != "outbound" else noun.model.model_fields.keys()
        if name not in known:
            yield _unknown("template", name, known)
    theirs, ours = FIELDS.get(source), type_of(noun, target)
    if theirs is None:
        yield _unknown("source_field", source, FIELDS)
    elif brings(mapping, "outbound") and source in FIXED:
        yield FieldError("source_field", "read_only", f"the other system writes {source} itself", "FIELD_READ_ONLY")
    if ours is None:
        yield _unknown("target_field", target, noun.model.model_fields)
    elif brings(mapping, "inbound") and not is_writable(noun, target):
        message = f"{target} of a {noun.kind} cannot be written: map it outbound"
        yield FieldError("target_field", "read_only", message, "FIELD_READ_ONLY")
    elif theirs is not None and not (brings(mapping, "outbound") and source in FIXED):
        yield from _type_faults(mapping, theirs, ours)


def _type_faults(mapping: Members, theirs: str, ours: str) -> Iterator[FieldError]:
    transform = mapping["transform"]
    ways: list[tuple[str, str, str]] = []
    if brings(mapping, "inbound"):
        ways.append((theirs, transform, ours))
    if brings(mapping, "outbound") and not is_one_way(mapping):
        ways.append((ours, outward(transform), theirs))
    for source, way, target in ways:
        made = result_type(way, source)
        if (made, target) == ("date", "text") and way == "date":
            continue  # a date goes out as a text
        if made != target and "any" not in (made, target):
            message = f"{made} does not fit {target}: choose a transform" if way == "none" else f"{way} makes {made}, "
            message += "" if way == "none" else f"which does not fit {target}"
            yield FieldError("transform", "type", message, "TYPE_MISMATCH", {"source": source, "target": target})
            return


def _unknown(field: str, name: str, known: Mapping[str, Any] | Any) -> FieldError:
    message = f"there is no field {name!r}"
    return FieldError(field, "choice", message, "UNKNOWN_FIELD", {"field": name, "choices": sorted(known)})


def _key(mapping: Members) -> tuple[Any, ...]:
    return mapping["entity_type"], mapping["target_field"], mapping["direction"]


def _exists(mapping: Members, other_id: str | None) -> Problem:
    message = f"{mapping['target_field']} of {mapping['entity_type']} is mapped {mapping['direction']} already"
    details = {"existing_id": other_id} if other_id is not None else {}
    return Problem("MAPPING_EXISTS", message, field="target_field", rule="unique", details=details)


def _whole(members: Members, before: Members | None) -> dict[str, Any]:
    """Return a mapping with the members of a write, and with its defaults."""
    given = {name: value for name, value in members.items() if value is not None or before is not None}
    return {**(before or blank(FieldMapping)), **given}


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Check a mapping as a whole. Raises: 422; 409 where the member is mapped in this direction already."""
    mapping = _whole(members, before)
    faults = list(faults_of(call, mapping))
    if faults:
        raise validation(faults)
    for other in call.collection("mapping").find("integration_id", mapping["integration_id"]):
        if _key(other) == _key(mapping) and (before is None or other["id"] != before["id"]):
            raise _exists(mapping, other["id"])
    return {}


MAPPINGS = Noun(
    resource=IntegrationMappings,
    kind="mapping",
    prefix="map_",
    model=FieldMapping,
    within=("integration_id", INTEGRATIONS),
    events="integration.mapping_",
    forms={"target_field": lambda call, value: path_of(value)},
    check=_check,
)


# -- trying them -------------------------------------------------------------------------------------------------------


@serves(IntegrationMappings.validate)
def validate(
    call: Context, integration_id: str, mappings: Sequence[Members] | None, sample: Members | None
) -> dict[str, Any]:
    """Check mappings, and run a sample through them."""
    integration = INTEGRATIONS.find_one(call, integration_id)
    if mappings is None:
        stored = call.collection("mapping").find("integration_id", integration["id"])
        drafts: list[Members | list[FieldError]] = [*stored]
    else:
        drafts = [_read(draft) for draft in mappings]
    issues: list[dict[str, Any]] = []
    whole: list[tuple[int, Members]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for index, draft in enumerate(drafts):
        if isinstance(draft, list):
            issues += [_issue(index, fault) for fault in draft]
            continue
        faults = list(faults_of(call, draft))
        if not faults and seen.setdefault(_key(draft), index) != index:
            faults = list(_exists(draft, None).entries)
        issues += [_issue(index, fault) for fault in faults]
        if not faults:
            whole.append((index, draft))
            issues += [_issue(index, fault, "warning") for fault in _warnings(draft)]
    active = [(index, mapping) for index, mapping in whole if mapping["active"] and brings(mapping, "inbound")]
    preview, failed = _preview(call, active, sample) if sample is not None else ([], [])
    issues += failed
    return {
        "valid": all(issue["severity"] != "error" for issue in issues),
        "issues": sorted(issues, key=lambda issue: issue["index"]),
        "unmapped_required": _unmapped_members(call, [mapping for _, mapping in active]),
        "preview": preview,
    }


def _read(draft: Members) -> Members | list[FieldError]:
    """Return a draft, in wire names, as a whole mapping, or what is wrong with it."""
    create = IntegrationMappings.create.operation
    try:
        values, _ = arguments_of(create, create.routes["platform"], {}, dict(draft), {})
    except Problem as problem:
        return list(problem.entries)
    members = values["mapping"]
    return _whole({**members, "target_field": path_of(members["target_field"])}, None)


def _warnings(mapping: Members) -> Iterator[FieldError]:
    if is_one_way(mapping):
        message = "a template cannot be undone: the mapping brings values in, but not out"
        yield FieldError("direction", None, message, "ONE_WAY")
    if not mapping["active"]:
        yield FieldError("active", None, "the mapping is not active", "INACTIVE")


def _issue(index: int, fault: FieldError, severity: str = "error") -> dict[str, Any]:
    return {
        "index": index, "severity": severity, "code": fault.code, "field": fault.field, "message": fault.message,
    }  # fmt: skip


def _unmapped_members(call: Context, mappings: Sequence[Members]) -> list[str]:
    """Return the members that new records need and no mapping fills."""
    mapped: dict[str, set[str]] = {}
    for mapping in mappings:
        mapped.setdefault(mapping["entity_type"], set()).add(mapping["target_field"])
    return [
        f"{entity_type}.{names[0]}"
        for entity_type, filled in sorted(mapped.items())
        for names in required_members(noun_of(call, entity_type))
        if filled.isdisjoint(names)
    ]


def _preview(
    call: Context, mappings: Sequence[tuple[int, Members]], sample: Members
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what mappings make of a record of the other system, and what is wrong with its values."""
    preview: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for index, mapping in mappings:
        path = mapping["target_field"]
        try:
            value, noun = inbound(mapping, sample), noun_of(call, mapping["entity_type"])
            if value is not None or any(path == names[0] for names in required_members(noun)):
                value = stored_value(call, noun, path, value)
        except Problem as problem:
            failed += [_issue(index, entry) for entry in problem.entries]
        else:
            preview.append({"field": path, "before": sample.get(mapping["source_field"]), "after": value})
    return preview, failed

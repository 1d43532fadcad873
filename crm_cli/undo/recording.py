"""Write a call down in the journal, with what its record was before where that is to be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import CrmError
from crm_sdk.wire import decode_json, encode_json, is_array, is_object

from ..failures import MisuseError, complain
from ..settings import Settings
from ..showing import is_secret
from ..terminal.prompts import may_ask
from ..terminal.values import plain
from ..tree.parameters import Form
from .journal import Entry, Journal

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.operation import Operation

AS_UPDATES: Mapping[str, tuple[str, ...]] = {"deals.move_stage": ("stage",)}
"""The calls that change members as an update of the noun does, with these members."""
_CHOICES = {"": None, "auto": None, "1": True, "on": True, "true": True, "0": False, "off": False, "false": False}


def recorded_call(call: Callable[..., Any], form: Form, client: CrmClient, settings: Settings) -> Callable[..., Any]:
    """Return a call that is written down for `crm undo`, where it writes."""
    if not form.writes:
        return call
    recording = Recording(form, settings)

    def write(**arguments: Any) -> Any:
        recording.look(client, arguments)
        result = call(**arguments)
        recording.note(arguments, result)
        return result

    return write


class Recording:
    """One call that writes, on its way into the journal."""

    def __init__(self, form: Form, settings: Settings) -> None:
        self._form = form
        self._settings = settings
        said = os.environ.get("CRM_UNDO", "").lower()
        if said not in _CHOICES:
            raise MisuseError(f"CRM_UNDO must be 1, 0 or auto, not {said!r}")
        self._chosen = _CHOICES[said]
        self._before: dict[str, Any] | None = None

    def look(self, client: CrmClient, arguments: Mapping[str, Any]) -> None:
        """Read what an update will change, with one request: at a terminal, or where `CRM_UNDO=1` asks for it."""
        members = _members(self._form.operation, arguments)
        if not members or not (self._chosen or (self._chosen is None and may_ask())):
            return
        try:
            record = attrgetter(f"{_noun(self._form.operation)}.get")(client)(
                *_ids(self._form.operation, arguments).values()
            )
        except (AttributeError, TypeError, CrmError):
            return  # the noun has no such call, or the write itself will say what is wrong
        self._before = {name: _value(record, name, given) for name, given in members.items() if not is_secret(name)}

    def note(self, arguments: Mapping[str, Any], result: Any) -> None:
        """Write the call down. A journal that cannot be written is said on stderr: the call was done all the same."""
        if self._chosen is False:
            return
        operation = self._form.operation
        members = _members(operation, arguments)
        if operation.name == "update" and operation.arguments.body is not None and not members:
            return  # it changed nothing
        ids = [str(id) for id in _ids(operation, arguments).values()]
        if operation.name == "create" and isinstance(made := getattr(result, "id", None), str):
            ids.append(made)
        version = getattr(result, "version", None)
        self.write(
            self._settings,
            Entry(
                0, "", operation.id, ids, [name for name in members if not is_secret(name)],
                version if isinstance(version, int) else None, self._before,
                withheld=[name for name in members if is_secret(name)],
            ),
        )  # fmt: skip

    @staticmethod
    def write(settings: Settings, entry: Entry) -> None:
        """Add an entry to the journal of a company."""
        try:
            Journal.of(settings).add(entry)
        except OSError as error:
            complain(f"note: `crm undo` will not know of this: {error.filename}: {error.strerror}")


def note_request(settings: Settings, method: str, path: str) -> None:
    """Write down a request of `crm api`, which cannot be taken back."""
    if _CHOICES.get(os.environ.get("CRM_UNDO", "").lower()) is not False:
        Recording.write(settings, Entry(0, "", "api", [method, path.partition("?")[0]]))


def _noun(operation: Operation[..., Any]) -> str:
    return operation.id.rpartition(".")[0]


def _members(operation: Operation[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that a call changes of one record, as they are given; none where it is no update."""
    if operation.id in AS_UPDATES:
        return {name: arguments.get(name) for name in AS_UPDATES[operation.id]}
    body = arguments.get(operation.arguments.body or "")
    return {name: body[name] for name in body} if operation.name == "update" and is_object(body) else {}


def _ids(operation: Operation[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids in the path of a call."""
    routes = operation.routes.values()
    named = {name for route in routes for name in route.placeholders}
    return {name: arguments[name] for name in operation.positional if name in named and name in arguments}


def _value(record: Any, name: str, given: Any) -> Any:
    """Return the value of a member, as JSON; of fields that are set one by one, only those that are given."""
    value = decode_json(encode_json(plain(getattr(record, name, None))))
    if name == "custom_fields" and is_object(given):
        known: Mapping[str, Any] = value if is_object(value) else {}
        return {field: known.get(field) for field in given}
    return list(value) if is_array(value) else value

"""Fields of every type against a plain model: any order of calls leaves both with the same definition and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .field_model import GIVEN, NUMBERS, SELECTS, TEXTS, TYPES, WIDER, Field, converted, key_of, listed, shown

NAMES, NUMBERED = st.sampled_from(["x_1", "x_2", "x_3"]), st.integers(0, 20)
VALUES = st.sampled_from(GIVEN)
BOUNDS = st.none() | st.sampled_from([-5, 0, 2, 7])
LENGTHS = st.none() | st.sampled_from([1, 3, 11])
OPTIONS = st.lists(
    st.tuples(st.sampled_from(["red", "green", "blue"]), st.sampled_from([True, True, False])),
    unique_by=lambda option: option[0],
).map(tuple)
OF_TYPES: dict[str, Any] = {
    **{key: {"min_value": BOUNDS, "max_value": BOUNDS} for key in NUMBERS},
    **{
        key: {"min_length": LENGTHS, "max_length": LENGTHS, "pattern": st.none() | st.just("[a-z@.]+")} for key in TEXTS
    },
    **{key: {"options": OPTIONS} for key in SELECTS},
}
PLACES = {"precision": st.none() | st.sampled_from([0, 1, 4])}
OF_TYPES |= {type: OF_TYPES[type] | PLACES for type in ("decimal", "currency")}


def members_of(type: str) -> dict[str, Any]:
    """Return how the members are drawn that a field of a type may have."""
    if type == "auto_number":
        return {}
    return {"required": st.booleans(), "unique": st.booleans(), "default": VALUES, **OF_TYPES.get(type, {})}


def field_of(type: str) -> st.SearchStrategy[Field]:
    """Draw a field of a type, most of whose members are left out."""
    drawn = {name: st.just(Field("", "").__dict__[name]) | each for name, each in members_of(type).items()}
    all_options = tuple((value, True) for value in ("red", "green", "blue"))
    options = {"options": st.just(all_options)} if type in SELECTS else {}
    return st.builds(Field, st.just("x_1"), st.just(type), **{**drawn, **options})


FIELDS = st.sampled_from(TYPES).flatmap(field_of)


class FieldMachine(RuleBasedStateMachine):
    """Every step is done to both; what one refuses the other has to refuse, by the same code and the same rules."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = StubServer(demo=True)
        self.client: CrmClient = self.stub.client(dialects="platform", max_retries=0, strict=True)
        self.objects = self.client.custom_objects
        self.fields: dict[str, Field] = {}
        self.given: dict[str, int] = {}
        """How many numbers a field has given."""
        self.records: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.objects.create({"api_name": "thing", "label": "Thing", "plural_label": "Things"})

    def expect(self, code: str | None, call: Callable[[], Any]) -> Any:
        """Return what a call answers; where it is to be refused, None."""
        if code is None:
            return call()
        error = refused(call)
        assert (error.code if error.status == 409 else "422") == code
        return None

    def put(self, id: str, name: str, value: Any) -> None:
        """Put a value into a record; the version goes up where it is another one."""
        if self.records[id].get(name) != value:
            self.records[id][name] = value
            self.versions[id] += 1

    def number(self, field: Field) -> str:
        self.given[field.name] += 1
        return f"{self.given[field.name]:04}"

    # -- the definition ------------------------------------------------------------------------------------------------

    @initialize(fields=st.tuples(FIELDS, FIELDS))
    def begin(self, fields: tuple[Field, Field]) -> None:
        for number, field in enumerate(fields, 1):
            self.define(f"x_{number}", field)

    @rule(name=NAMES, field=FIELDS)
    def define(self, name: str, field: Field) -> None:
        field = replace(field, name=name)
        if name in self.fields:
            field = Field(name, "text")
        count, default = len(self.records), field.default not in (None, "", [])
        code = "FIELD_EXISTS" if name in self.fields else None if field.is_fine() else "422"
        if code is None and count and field.required and not default:
            code = "FIELD_NEEDS_DEFAULT"
        if code is None and count > 1 and field.unique and default:
            code = "FIELD_HAS_CONFLICTS"
        made: Any = field.given
        if self.expect(code, lambda: self.objects.fields.create("thing", made)) is None:
            return
        self.fields[name] = field = replace(field, default=field.read(field.default))
        self.given[name] = 0
        for id in self.records:
            if field.type == "auto_number" or field.default is not None:
                self.put(id, name, self.number(field) if field.type == "auto_number" else field.default)

    @precondition(lambda self: self.fields)
    @rule(number=NUMBERED, data=st.data())
    def change(self, number: int, data: st.DataObject) -> None:
        """Change one member of a field: what records hold may forbid it."""
        name = list(self.fields)[number % len(self.fields)]
        field = self.fields[name]
        drawn = members_of(field.type)
        if not drawn:
            return
        member = data.draw(st.sampled_from(sorted(drawn)))
        value = data.draw(drawn[member])
        new = replace(field, **{member: value})
        changes: Any = {member: shown(value) if member == "options" else value}
        self.redefine(field, new, changes)

    @precondition(lambda self: self.fields)
    @rule(number=NUMBERED, wider=st.booleans(), type=st.sampled_from(TYPES))
    def widen(self, number: int, wider: bool, type: str) -> None:
        name = list(self.fields)[number % len(self.fields)]
        field = self.fields[name]
        if wider and field.type in WIDER:
            type = WIDER[field.type][-1]
        changes: Any = {"type": type}
        if type not in (field.type, *WIDER.get(field.type, ())):
            incomplete = (type in SELECTS and not field.options) or (type == "reference")
            code = "422" if incomplete else "FIELD_TYPE_CHANGE"
            self.expect(code, lambda: self.objects.fields.update("thing", name, changes))
        else:
            self.redefine(field, field.widened(type), changes)

    def redefine(self, field: Field, new: Field, changes: Any) -> None:
        name = field.name
        after = {id: converted(field, new.type, held.get(name)) for id, held in self.records.items()}
        used = {one for value in after.values() for one in listed(value)}
        gone = {value for value, _ in field.options} - {value for value, _ in new.options}
        code = None if new.is_fine() else "422"
        code = code or ("OPTION_IN_USE" if gone & used else None)
        code = code or ("FIELD_HAS_CONFLICTS" if new != field and new.broken_by(after.values()) else None)
        if self.expect(code, lambda: self.objects.fields.update("thing", name, changes)) is not None:
            self.fields[name] = replace(new, default=new.read(new.default))
            for id, value in after.items():
                self.put(id, name, value)

    @precondition(lambda self: self.fields)
    @rule(number=NUMBERED, force=st.booleans())
    def remove(self, number: int, force: bool) -> None:
        name = list(self.fields)[number % len(self.fields)]
        held = any(values.get(name) is not None for values in self.records.values())
        code = "FIELD_IN_USE" if held and not force else None
        self.expect(code, lambda: self.objects.fields.delete("thing", name, force=force))
        if code is None:
            del self.fields[name]
            for id in self.records:
                self.put(id, name, None)

    # -- records -------------------------------------------------------------------------------------------------------

    def examined(self, values: dict[str, Any], own: str | None) -> tuple[dict[str, Any], set[tuple[str, str]], bool]:
        """Return what a record holds after a write, what is wrong with it, and whether a value is taken."""
        held = self.records[own] if own is not None else {}
        usual = {} if own is not None else {name: field.default for name, field in self.fields.items()}
        after, wrong = {**usual, **held}, set[tuple[str, str]]()
        for name, value in values.items():
            if name not in self.fields:
                wrong.add((name, "unknown"))
            elif rule := self.fields[name].wrong(value, held.get(name)):
                wrong.add((name, rule))
            else:
                after[name] = self.fields[name].read(value, held.get(name))
        taken = False
        for name, field in self.fields.items():
            if field.type == "auto_number" or name in {one for one, _ in wrong} or (own and name not in values):
                continue
            if after.get(name) is None:
                wrong |= {(name, "required")} if field.required else set()
            elif after[name] != held.get(name) and field.unique:
                others = (other.get(name) for id, other in self.records.items() if id != own)
                taken |= key_of(after[name]) in {key_of(other) for other in others if other is not None}
        return after, wrong, taken

    def write(self, call: Callable[[], Any], wrong: set[tuple[str, str]], taken: bool) -> Any:
        if not wrong and not taken:
            return call()
        error = refused(call)
        if wrong:
            assert error.status == 422
            assert {
                ((one.field or "").split(".")[1], one.rule) for one in error.fields if one.rule != "unique"
            } == wrong
        else:
            assert error.code == "DUPLICATE_VALUE"
        return None

    @rule(values=st.dictionaries(NAMES, VALUES, max_size=2), likely=st.booleans(), data=st.data())
    def add(self, values: dict[str, Any], likely: bool, data: st.DataObject) -> None:
        values = self.likely(values, data) if likely else values
        after, wrong, taken = self.examined(values, None)
        given: Any = {"fields": {"name": "N", **values}}
        made = self.write(lambda: self.objects.records.create("thing", given), wrong, taken)
        if made is not None:
            numbers = {one.name: self.number(one) for one in self.fields.values() if one.type == "auto_number"}
            self.records[made.id], self.versions[made.id] = after | numbers, 1

    @precondition(lambda self: self.records)
    @rule(
        number=NUMBERED, values=st.dictionaries(NAMES, VALUES, min_size=1, max_size=2), likely=st.booleans(),
        data=st.data(),
    )  # fmt: skip
    def update(self, number: int, values: dict[str, Any], likely: bool, data: st.DataObject) -> None:
        id = list(self.records)[number % len(self.records)]
        values = self.likely(values, data) if likely else values
        after, wrong, taken = self.examined(values, id)
        given: Any = {"fields": values}
        if self.write(lambda: self.objects.records.update("thing", id, given), wrong, taken) is not None:
            before, version = self.records[id], self.versions[id]
            self.records[id] = after
            same = all(before.get(name) == value for name, value in after.items())
            self.versions[id] = version + (not same)

    def likely(self, values: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
        """Draw values that the fields take, where there are any."""
        found: dict[str, Any] = {}
        for name in values:
            field = self.fields.get(name)
            fine = [value for value in GIVEN if field is not None and field.wrong(value) is None]
            if fine:
                found[name] = data.draw(st.sampled_from(fine))
        return found

    # -- what holds ----------------------------------------------------------------------------------------------------

    @invariant()
    def they_hold_the_same(self) -> None:
        found = {one.id: one for one in self.objects.records.list("thing", limit=200)}
        assert {id: one.fields for id, one in found.items()} == {
            id: {"name": "N"} | {name: value for name, value in held.items() if value is not None}
            for id, held in self.records.items()
        }
        assert {id: one.version for id, one in found.items()} == self.versions

    @invariant()
    def they_are_defined_the_same(self) -> None:
        shown = {one.api_name: one for one in self.objects.fields.list("thing") if one.api_name != "name"}
        assert {name: (one.type, one.required, one.unique, one.default) for name, one in shown.items()} == {
            name: (one.type, one.required, one.unique, one.default) for name, one in self.fields.items()
        }
        for name, one in shown.items():
            assert tuple((option.value, option.active) for option in one.options) == self.fields[name].options


TestFields = FieldMachine.TestCase
TestFields.settings = settings(max_examples=portion(12), stateful_step_count=20)

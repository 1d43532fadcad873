"""``**common: Unpack[Listing]``: to everybody but the declaration itself its arguments are there by name."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable
from typing import Any, TypedDict, Unpack

import pytest
from canned_answers import Canned

from crm_cli.tree.parameters import Form
from crm_sdk import InvalidInputError
from crm_sdk.catalogue import declared_operations
from crm_sdk.declare import paginated
from crm_sdk.listing import Dates, Listing, Paging, Sorting
from crm_sdk.resource import Resource

Make = Callable[..., Any]
LISTS = [found for found in declared_operations() if inspect.getfullargspec(found.function).varkw is not None]
PAGES = {"limit", "offset", "page"}


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.id)
def test_the_common_arguments_are_written_out(listed: Any, make: Make) -> None:
    names = set(listed.signature.parameters)
    assert "common" not in names
    kind = listed.function.__globals__[listed.function.__annotations__["common"][7:-1]]
    assert names >= set(kind.__annotations__)
    assert all(listed.signature.parameters[name].default is None for name in kind.__annotations__)
    assert set(kind.__annotations__) <= set(listed.arguments.types)
    assert {parameter.name for parameter in Form(listed).parameters} >= set(kind.__annotations__)
    method = make()
    for step in listed.id.split("."):
        method = getattr(method, step)
    assert set(inspect.signature(method).parameters) == names
    assert all(name in pydoc.render_doc(method) for name in kind.__annotations__)


def test_there_are_lists_of_every_kind() -> None:
    kinds = {found.function.__annotations__["common"] for found in LISTS}
    assert kinds >= {f"Unpack[{kind.__name__}]" for kind in (Paging, Sorting, Dates, Listing)}
    assert set(Sorting.__annotations__) == PAGES | {"order"}
    assert set(Listing.__annotations__) == set(Sorting.__annotations__) | set(Dates.__annotations__) | {"search"}


def test_a_name_that_no_list_has_is_a_type_error(make: Make, call: Callable[[Any], Any], server: Canned) -> None:
    with pytest.raises(TypeError, match=r"leads\.list\(\): got an unexpected keyword argument 'serach'"):
        call(make().leads.list(serach="ada"))
    assert server.requests == []


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 201}, {"page": 0}, {"offset": -1}])
def test_a_page_that_cannot_be_is_refused_before_anything_is_sent(
    make: Make, call: Callable[[Any], Any], server: Canned, wrong: dict[str, Any]
) -> None:
    for dialects in ("mvp", "platform"):
        with pytest.raises(InvalidInputError) as raised:
            call(make(dialects=dialects).leads.list(**wrong))
        assert [field.field for field in raised.value.fields] == list(wrong)
    assert server.requests == []


class _Own(TypedDict, total=False):
    a: int


@pytest.mark.parametrize("annotation", ["Unpack[_Own]", "Unpack[Nothing]", "int", "Any"])
def test_only_a_typed_dict_of_the_module_can_be_written_out(annotation: str) -> None:
    def listed(self: Any, **common: Unpack[_Own]) -> Any:
        """List."""

    listed.__annotations__["common"] = annotation
    declare: Callable[[], object] = lambda: type(  # noqa: E731 # it is called twice below
        "Some", (Resource,), {"list": paginated(mvp="GET /x")(listed), "__module__": "some"}
    )
    if annotation == "Unpack[_Own]":
        assert declare()
        return
    with pytest.raises((TypeError, RuntimeError)) as raised:  # Python 3.11 wraps it in a RuntimeError
        declare()
    assert "must be Unpack[] of a TypedDict" in str(raised.value.__cause__ or raised.value)

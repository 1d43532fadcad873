"""The arguments that all lists have in common: ``**common: Unpack[Listing]`` in a declaration.

Type checkers understand `Unpack`; `Operation.signature` writes the arguments out for everything else. The members to
sort by differ by noun: beside `Sorting` or `Listing` a declaration has ``sort: LeadSort | None = None``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypedDict, cast

if TYPE_CHECKING:
    # Imported for type checkers only, as in the declarations: `arguments` finds the names when they are needed.
    from datetime import date

    from pydantic import AwareDatetime

    from .models.values import Limit, Offset, Order, PageNumber, Period


class Paging(TypedDict, total=False):
    """The page of a list: `limit`, and either `offset` or `page`."""

    limit: Limit | None
    offset: Offset | None
    page: PageNumber | None


class Ordering(TypedDict, total=False):
    """The direction of `sort`."""

    order: Order | None


class Dates(TypedDict, total=False):
    """When records were created and last changed: at `…_after` or later, and before `…_before`."""

    created_after: AwareDatetime | None
    created_before: AwareDatetime | None
    updated_after: AwareDatetime | None
    updated_before: AwareDatetime | None


class Searching(TypedDict, total=False):
    """Words to search for."""

    search: str | None


class Sorting(Ordering, Paging, total=False):
    """The direction of `sort`, and the page."""


class Listing(Searching, Dates, Sorting, total=False):
    """The arguments of every list of records: words to search for, dates, the direction of `sort`, and the page."""


class Viewed(Listing, total=False):
    """The arguments of a list that can be seen through a layout: `view` is its id (`client.customization.layouts`)."""

    view: str | None


class Range(TypedDict, total=False):
    """The days that figures are of, both included, and the length of their periods."""

    start_date: date | None
    end_date: date | None
    period: Period | None


class ScopedRange(Range, total=False):
    """A range, and whose deals the figures are of: those of a pipeline, an owner, a team."""

    pipeline_id: str | None
    owner_id: str | None
    team_id: str | None


def common_arguments(function: Callable[..., Any]) -> type[Any] | None:
    """Return the TypedDict of a declaration's ``**common: Unpack[…]``; None where it has none.

    Raises: TypeError for any other ``**``, since a declaration names each argument.
    """
    code = function.__code__
    if not code.co_flags & inspect.CO_VARKEYWORDS:
        return None
    name = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
    annotation = str(function.__annotations__.get(name, "nothing"))
    found: Any = function.__globals__.get(annotation.removeprefix("Unpack[").removesuffix("]"))
    if not annotation.startswith("Unpack[") or not hasattr(found, "__total__"):
        raise TypeError(f"{function.__qualname__}: **{name} must be Unpack[] of a TypedDict, not {annotation}")
    return cast("type[Any]", found)


def names_of_arguments(function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """Return the names of a declaration's arguments: those that can be given by position, and the others.

    Read off its code, which is much cheaper than its signature: every declaration is checked when it is imported.
    """
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    common = common_arguments(function)
    count = code.co_argcount - 1
    return list(names[:count]), [*names[count:], *(common.__annotations__ if common is not None else ())]


def with_common(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature with the arguments of ``**common`` written out, each None by default."""
    signature = inspect.signature(function)
    common = common_arguments(function)
    if common is None:
        return signature
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    return signature.replace(parameters=[*own, *_keywords(common)])


def _keywords(common: type[Any]) -> Iterator[inspect.Parameter]:
    for name, hint in common.__annotations__.items():
        yield inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=getattr(hint, "__forward_arg__", hint)
        )

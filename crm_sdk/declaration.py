"""What a declaration of a call says, and what follows from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar, get_args, get_origin

from .frozen import real_dates
from .listing import names_of_arguments, with_common
from .route import PAGING, Flags, Route
from .vocabulary.codes import STATUSES

if TYPE_CHECKING:
    from .arguments import Arguments
    from .resource import Resource

P = ParamSpec("P")
T = TypeVar("T")

Kind: TypeAlias = Literal["plain", "page", "job", "download", "stream"]


class Declaration(Generic[P, T]):
    """The facts of a declared call."""

    kind: Kind = "plain"
    owner: type[Resource[Any]]
    name: str

    def __init__(self, function: Callable[..., Any], routes: Mapping[str, Route], flags: Flags) -> None:
        self.function = function
        self.flags = flags
        self.routes = routes
        self.doc: str = inspect.getdoc(function) or ""
        self.__doc__ = self.doc
        self.__wrapped__ = function  # where `inspect` finds the source, and the names of annotations

    def __set_name__(self, owner: type[Resource[Any]], name: str) -> None:
        if not hasattr(self, "name"):  # an alias (`get_all = list`) keeps the first name
            self.owner, self.name = owner, name
            self._check()

    def _check(self) -> None:
        """Raise TypeError for a declaration that cannot work, when its module is imported."""
        if not self.routes:
            raise TypeError(f"{self.owner.__name__}.{self.name} has no route in any dialect")
        strange = [code for code in self.flags.errors if code not in STATUSES]
        if strange:
            raise TypeError(
                f"{self.owner.__name__}.{self.name}: {', '.join(strange)} are no codes of crm_sdk.vocabulary.codes"
            )
        first, others = names_of_arguments(self.function)
        for route in self.routes.values():
            positional = first[: len(route.placeholders)]
            unknown = set(route.names or ()) - {*first, *others} - PAGING
            if sorted(positional) != sorted(route.placeholders) or unknown:
                raise TypeError(
                    f"{self.owner.__name__}.{self.name}, {route.dialect.name}: the path {route.path} needs its "
                    f"placeholders as the first arguments, in {self.signature}"
                    + (f"; no such arguments: {', '.join(sorted(unknown))}" if unknown else "")
                )

    @cached_property
    def id(self) -> str:
        """The dotted name: ``contacts.relationships.create``."""
        return f"{self.owner.path()}.{self.name}"

    @cached_property
    def noun(self) -> str:
        """The first part of the dotted name."""
        return self.id.partition(".")[0]

    @cached_property
    def twins(self) -> Mapping[str, str]:
        """Pairs of dialects in which this call has the same method and path: each dialect with the other one."""
        found: dict[tuple[str, str], list[str]] = {}
        for name, route in self.routes.items():
            found.setdefault((route.method, route.full_path), []).append(name)
        return {a: b for names in found.values() if len(names) > 1 for a, b in (names, names[::-1])}

    @cached_property
    def __signature__(self) -> inspect.Signature:
        """The signature of the function: with ``self``, and with the arguments of ``**common`` written out."""
        return with_common(self.function)

    @cached_property
    def signature(self) -> inspect.Signature:
        """The signature of the method, without ``self``."""
        full = self.__signature__
        return full.replace(parameters=list(full.parameters.values())[1:])

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """The names of the arguments that can be given by position."""
        return tuple(
            name for name, p in self.signature.parameters.items() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        )

    @cached_property
    def arguments(self) -> Arguments:
        """The types of the arguments, resolved when they are first needed."""
        with real_dates():
            from .arguments import Arguments

            return Arguments(self)

    @property
    def status(self) -> int:
        """The documented HTTP status of success."""
        return self.flags.status or (202 if self.kind == "job" else 201 if self.name == "create" else 200)

    def is_ours(self, dialect: str) -> bool:
        """Tell whether the route of a dialect is our own, and in no document."""
        return self.flags.ours is True or self.flags.ours == dialect

    @property
    def is_paged(self) -> bool:
        """Whether it takes a page: one that takes none answers its whole list."""
        return self.arguments.body is not None or not PAGING.isdisjoint(self.signature.parameters)

    @property
    def answers_records(self) -> bool:
        """Whether its answer is one record, or a list; an entry of the audit trail counts as one, as it has an id."""
        from .models.record import record_types

        returns = self.arguments.returns
        whole = get_args(returns)[0] if get_origin(returns) is list else returns
        identified = "id" in getattr(whole, "model_fields", ())
        return self.kind == "page" or identified or bool(record_types(whole))

    @property
    def reads(self) -> bool:
        """Whether the call changes nothing: a GET, or a POST that is declared safe."""
        return self.flags.safe or all(route.method == "GET" for route in self.routes.values())

    @property
    def destroys(self) -> bool:
        """Whether the call deletes something."""
        if self.flags.destroys is not None:
            return self.flags.destroys
        return any(route.method == "DELETE" for route in self.routes.values())

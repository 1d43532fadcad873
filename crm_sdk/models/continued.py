"""Answers that go on: iterating over one reaches the items of those that follow, each fetched when it is reached."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar

from pydantic import PrivateAttr

from .record import Model

T = TypeVar("T")


class Continued(Model, Generic[T]):
    """A part of a longer answer. ``for`` goes on over the parts of a `CrmClient`, ``async for`` over the others'."""

    items: list[T]

    _fetch: Callable[[Mapping[str, Any]], Any] | None = PrivateAttr(default=None)

    @abstractmethod
    def following(self) -> Mapping[str, Any] | None:
        """Return the arguments of the call for the next part; None where this is the last."""

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[T]:  # type: ignore[override] # pydantic iterates over members
        for part in self.parts():
            yield from part.items

    async def __aiter__(self) -> AsyncIterator[T]:
        async for part in self.parts_async():
            for item in part.items:
                yield item

    def parts(self) -> Iterator[Self]:
        """Iterate part by part, beginning with this one."""
        part: Self | None = self
        while part is not None:
            yield part
            part = part._next()

    async def parts_async(self) -> AsyncIterator[Self]:
        """Iterate part by part, beginning with this one."""
        part: Self | None = self
        while part is not None:
            yield part
            fetched = part._next()
            part = await fetched if fetched is not None else None

    def _next(self) -> Any:
        rest = self.following()
        return self._fetch(rest) if rest is not None and self._fetch is not None else None

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = state.get("__pydantic_private__")
        return state | {"__pydantic_private__": private and {**private, "_fetch": None}}

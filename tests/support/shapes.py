"""Compare an answer with its shape in a document, as ``contract/shapes.json`` writes it down.

A model has lines of members of one type: ``{"id name avatar?": "string", "tags": "string[]"}``; what ends in `?` an
answer may leave out. A type is ``string``, ``number``, ``boolean``, ``true``, ``0-100`` (a number in this range),
``Date`` (an instant), ``Day``, ``object`` and ``any`` (whose inside is free), ``'word' | 'word'``, ``1 | 2``,
``Record<string, T>``, ``T[]`` or a model. What a document does not have is no mistake, unless its name is not in
camelCase. Under ``beyond`` stands what a member may be although its document does not say so, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

CONTRACT = Path(__file__).parent.parent / "contract"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
CAMEL = re.compile(r"[a-z]+([A-Z][a-z0-9]*)*")
RANGE = re.compile(r"(-?\d+)-(\d+)")


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(form: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _number,
    "boolean": lambda value: isinstance(value, bool),
    "true": lambda value: value is True,
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "any": lambda value: value is not None,
    "Date": _text(INSTANT),
    "Day": _text(DAY),
}


Lines: TypeAlias = Mapping[str, str]


def _by_member(lines: Lines) -> dict[str, str]:
    return {name: kind for names, kind in lines.items() for name in names.split()}


class Shapes:
    """The models of a dialect's document; `seen` notes which members an answer had that was compared."""

    def __init__(self, models: Mapping[str, Lines], beyond: Mapping[str, Lines]) -> None:
        self.models: dict[str, dict[str, tuple[str, bool]]] = {}
        self.seen: set[tuple[str, str]] = set()
        for model, lines in models.items():
            kinds = _by_member(lines)
            more = {name: reason.partition(": ")[0] for name, reason in _by_member(beyond.get(model, {})).items()}
            assert more.keys() <= kinds.keys(), f"{model} has no {more.keys() - kinds.keys()}"
            self.models[model] = {
                name.rstrip("?"): (f"{kind} | {more[name]}" if name in more else kind, name.endswith("?"))
                for name, kind in kinds.items()
            }

    @staticmethod
    def of(dialect: str) -> Shapes:
        """Read the models of a dialect."""
        catalogue = json.loads((CONTRACT / "shapes.json").read_text())
        return Shapes(catalogue[dialect], catalogue["beyond"][dialect])

    def wrong(self, value: Any, kind: str, where: str = "") -> Iterator[str]:
        """Tell what about a value is not as its type demands."""
        if kind.endswith(" | null") and value is not None:
            yield from self.wrong(value, kind.removesuffix(" | null"), where)
        elif " | " in kind:
            if all(any(self.wrong(value, one)) for one in kind.split(" | ")):
                yield f"{where}: {value!r} is no {kind}"
        elif kind.endswith("[]"):
            if not isinstance(value, list):
                yield f"{where}: {value!r} is no {kind}"
                return
            for n, item in enumerate(value):
                yield from self.wrong(item, kind.removesuffix("[]"), f"{where}.{n}")
        elif kind.startswith("Record<string, "):
            if not isinstance(value, dict):
                yield f"{where}: {value!r} is no {kind}"
                return
            for name, item in value.items():
                yield from self.wrong(item, kind.removeprefix("Record<string, ").removesuffix(">"), f"{where}.{name}")
        elif kind in self.models:
            yield from self._model(value, kind, where)
        elif not self._is(value, kind):
            yield f"{where}: {value!r} is no {kind}"

    def _is(self, value: Any, kind: str) -> bool:
        if kind in PLAIN:
            return PLAIN[kind](value)
        bounds = RANGE.fullmatch(kind)
        if bounds is not None:
            return _number(value) and int(bounds[1]) <= value <= int(bounds[2])
        assert kind.startswith("'") or kind.isdigit(), f"no document has the type {kind}"
        return bool(value == kind.strip("'") if kind.startswith("'") else _number(value) and value == int(kind))

    def _model(self, value: Any, kind: str, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no {kind}"
            return
        for name, (member, optional) in self.models[kind].items():
            if name in value:
                yield from self.wrong(value[name], member, f"{where}.{name}")
                if value[name] is not None and value[name] != []:
                    self.seen.add((kind, name))
            elif not optional:
                yield f"{where}.{name} is missing"
        for name in value.keys() - self.models[kind].keys():
            yield from _strange_names({name: value[name]}, where)
        yield from (f"{where}.{name} is not in camelCase" for name in value if not CAMEL.fullmatch(name))


def _strange_names(value: Any, where: str) -> Iterator[str]:
    """Tell the names within what a document does not have that are not in camelCase."""
    if isinstance(value, dict):
        for name, item in value.items():
            if where and not CAMEL.fullmatch(name):
                yield f"{where}.{name} is not in camelCase"
            yield from _strange_names(item, f"{where}.{name}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _strange_names(item, f"{where}.{n}")

"""Who asks for JSON:API, by ``Accept`` and ``Content-Type`` (JSON:API 1.1, "Content Negotiation")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message

from ..problems import Problem

MEDIA = "application/vnd.api+json"
_ALLOWED = frozenset({"profile", "q"})
"""The parameters that an accepted media type may have; no extension is supported, so `ext` is none of them."""


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of ``Accept``."""

    kind: str
    parameters: Mapping[str, str]

    @property
    def weight(self) -> float:
        """Its weight, 0 to 1; a text that is no weight stands for 1."""
        try:
            return max(0.0, min(1.0, float(self.parameters.get("q", "1"))))
        except ValueError:
            return 1.0

    @property
    def is_usable(self) -> bool:
        """Whether it names JSON:API as this server has it: without extensions and foreign parameters."""
        return self.kind == MEDIA and self.parameters.keys() <= _ALLOWED


def concerns(headers: Mapping[str, str]) -> bool:
    """Tell whether a request names JSON:API anywhere."""
    return any(MEDIA in headers.get(name, "").lower() for name in ("accept", "content-type"))


def is_sent(headers: Mapping[str, str]) -> bool:
    """Tell whether the body is JSON:API."""
    return _read(headers.get("content-type", "")).kind == MEDIA


def is_asked(headers: Mapping[str, str]) -> bool:
    """Tell whether the answer is to be JSON:API: it is named, and plain JSON is not liked better.

    Also true where it is named in a way that cannot be met, so that the refusal is in its form.
    """
    ranges = list(_ranges(headers.get("accept", "")))
    named = [one for one in ranges if one.kind == MEDIA]
    if not named or not any(one.is_usable for one in named):
        return bool(named)
    best = max(named, key=lambda one: one.weight if one.is_usable else -1.0)
    rivals = [one for one in ranges if one.kind == "application/json"]
    if not rivals:
        rivals = [one for one in ranges if one.kind in ("application/*", "*/*")]
        return best.weight > 0 and all(best.weight >= one.weight for one in rivals)
    rival = max(rivals, key=lambda one: one.weight)
    if best.weight == rival.weight:
        return best.weight > 0 and ranges.index(best) < ranges.index(rival)
    return best.weight > rival.weight


def check(headers: Mapping[str, str]) -> None:
    """Raise 415 for a body, and 406 for an answer, of JSON:API in a form that this server does not have."""
    sent = _read(headers.get("content-type", ""))
    if sent.kind == MEDIA and not sent.parameters.keys() <= {"profile"}:
        wrong = ", ".join(sorted(sent.parameters.keys() - {"profile"}))
        message = f"a body of {MEDIA} has no parameter {wrong} here: no extension is supported"
        raise Problem("UNSUPPORTED_MEDIA_TYPE", message)
    named = [one for one in _ranges(headers.get("accept", "")) if one.kind == MEDIA]
    if named and not any(one.is_usable for one in named):
        message = f"every {MEDIA} in Accept has a parameter that is not supported: leave away all but profile"
        raise Problem("NOT_ACCEPTABLE", message)


def _ranges(accept: str) -> Iterator[_Range]:
    for one in _parts(accept):
        if one.strip():
            yield _read(one)


def _parts(accept: str) -> Iterator[str]:
    """Yield the media ranges of a header; a comma within quotes separates none."""
    start, quoted = 0, False
    for at, letter in enumerate(accept):
        if letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            yield accept[start:at]
            start = at + 1
    yield accept[start:]


def _read(text: str) -> _Range:
    if not text.strip():
        return _Range("", {})
    message = Message()  # the standard library's reader of media types with parameters
    message["content-type"] = text.strip()
    found = message.get_params() or [("", "")]
    parameters = {name.lower(): value for name, value in found[1:] if name}
    return _Range(found[0][0].strip().lower(), parameters)

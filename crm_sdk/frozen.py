"""Types made while a test has the time stand still: freezegun puts classes of its own in the place of `datetime`'s."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

_NAMES = ("date", "datetime", "time", "timedelta")


@contextmanager
def real_dates() -> Generator[None]:
    """Let what is imported or resolved in the block name Python's own classes of dates, which pydantic knows.

    It looks at one attribute, unless they are replaced: what is first used in a frozen time works in it and after it.
    """
    if datetime.date.__module__ == "datetime":
        yield
        return
    kinds = {getattr(datetime, name) for name in _NAMES}
    fakes = {kind: next(base for base in kind.__mro__ if base.__module__ == "datetime") for kind in kinds}
    replaced: list[tuple[Any, str, Any]] = [
        (module, attribute, value)
        for name, module in list(sys.modules.items())
        if name == "datetime" or name.startswith(("crm_sdk.", "pydantic"))
        for attribute, value in list(vars(module).items())
        if isinstance(value, type) and fakes.get(value, value) is not value
    ]
    for module, attribute, value in replaced:
        setattr(module, attribute, fakes[value])
    try:
        yield
    finally:
        for module, attribute, value in replaced:
            setattr(module, attribute, value)

"""What the tests of custom objects stand on: a client, and an object of their own with records."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import CustomObject, CustomRecord
from server_stub import StubServer

Define = Callable[..., CustomObject]
Add = Callable[..., CustomRecord]
OPTIONS = [{"value": word, "label": word.title()} for word in ("red", "green", "blue")]


def field(api_name: str, type: str = "text", **more: Any) -> Any:
    return {"api_name": api_name, "label": api_name.title(), "type": type, **more}


def select(api_name: str, type: str = "select", **more: Any) -> Any:
    return field(api_name, type, options=OPTIONS, **more)


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def define(platform: CrmClient) -> Define:
    """Define an object with the given fields beside its name."""
    numbers = count(1)

    def define(*fields: Any, **more: Any) -> CustomObject:
        name = f"thing_{next(numbers)}"
        given: Any = {"api_name": name, "label": name, "plural_label": f"{name}s", "fields": list(fields), **more}
        return platform.custom_objects.create(given)

    return define


@pytest.fixture
def add(platform: CrmClient) -> Add:
    """Create a record of an object."""

    def add(thing: CustomObject, name: str | None = "Some", **values: Any) -> CustomRecord:
        return platform.custom_objects.records.create(thing.id, {"fields": {"name": name, **values}})

    return add

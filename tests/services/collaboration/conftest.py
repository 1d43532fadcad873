"""What the tests of collaboration stand on: clients of colleagues and of another company, and a lead of each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Lead, Share
from server_stub import StubServer

Give = Callable[..., Share]
Make = Callable[..., Lead]
_numbers = count(1)


def ref(id: str, kind: str = "lead") -> Any:
    return {"type": kind, "id": id}


@pytest.fixture
def ada(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sam(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def gina(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def lead(ada: CrmClient) -> Make:
    """Make a lead of a user; Ada's without one."""

    def make(owner: str = "user_ada", **members: Any) -> Lead:
        given: Any = {"name": f"Lead {next(_numbers)}", "owner_id": owner, **members}
        return ada.leads.create(given)

    return make


@pytest.fixture
def give(ada: CrmClient) -> Give:
    """Share a record with Sam."""

    def make(id: str, kind: str = "lead", **members: Any) -> Share:
        given: Any = {"entity": ref(id, kind), "subject_type": "user", "subject_id": "user_sam", **members}
        return ada.collaboration.shares.create(given)

    return make

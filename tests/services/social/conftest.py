"""What the tests of social networks stand on: clients of two roles and a second company, and what they connect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import SocialAccount, SocialMention, SocialPost
from server_stub import StubServer

Connect: TypeAlias = Callable[..., SocialAccount]
Post: TypeAlias = Callable[..., SocialPost]


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def connect(acme: CrmClient) -> Connect:
    """Return a function that connects a further account of a network, under a name of its own."""

    def connect(network: str = "twitter", name: str = "second") -> SocialAccount:
        return acme.social.accounts.connect(network, access_token=f"{name}:token-1")

    return connect


@pytest.fixture
def post(acme: CrmClient, connect: Connect) -> Post:
    """Return a function that posts something, by default on a further account of twitter."""

    def post(*accounts: SocialAccount, **members: Any) -> SocialPost:
        ids = [account.id for account in accounts or (connect(),)]
        news: Any = {"account_ids": ids, "content": "News", **members}
        return acme.social.posts.create(news)

    return post


@pytest.fixture
def mention(acme: CrmClient) -> SocialMention:
    """Return an unanswered mention on twitter."""
    return acme.social.monitoring.mentions.list(network="twitter", status="new").items[0]

"""What the outbox handed over within a transaction that is undone."""

from __future__ import annotations

from contextlib import suppress

import pytest

from server_stub import Refusal, StubServer
from server_stub.outside.outbox import OutgoingMessage


def message(stub: StubServer, number: int) -> OutgoingMessage:
    return OutgoingMessage(f"notif_{number}", "tenant_acme", "sms", "+49301", "", "Hello", None, stub.clock.now())


def test_only_what_an_undone_transaction_handed_over_is_taken_back(stub: StubServer) -> None:
    stub.outbox.refuse("+49301")
    with stub.store.transaction():
        with suppress(ZeroDivisionError), stub.store.transaction():
            with pytest.raises(Refusal):
                stub.outbox.hand_over(message(stub, 1))
            stub.outbox.hand_over(message(stub, 1))
            raise ZeroDivisionError
        assert stub.outbox.messages == []
        with pytest.raises(Refusal):  # it is due again
            stub.outbox.hand_over(message(stub, 2))
        stub.outbox.hand_over(message(stub, 2))
        with suppress(ZeroDivisionError), stub.store.transaction():
            stub.outbox.hand_over(message(stub, 3))
            raise ZeroDivisionError
    assert [one.notification_id for one in stub.outbox.messages] == ["notif_2"]


def test_what_an_adapter_took_has_left(stub: StubServer) -> None:
    taken: list[OutgoingMessage] = []
    stub.outbox.use("sms", taken.append)
    with suppress(ZeroDivisionError), stub.store.transaction():
        stub.outbox.hand_over(message(stub, 1))
        raise ZeroDivisionError
    assert stub.outbox.messages == taken == [message(stub, 1)]

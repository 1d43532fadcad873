"""Queues of tasks: records and errors travel, and a task may make calls."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient, NotFoundError
from crm_sdk.models.leads import Lead


def test_celery(client: CrmClient) -> None:
    celery = pytest.importorskip("celery")
    app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
    app.conf.update(
        task_always_eager=True, task_serializer="pickle", result_serializer="pickle", task_store_eager_result=True
    )
    app.conf.accept_content = ["pickle"]

    @app.task
    def get(lead_id: str) -> Lead:
        return client.leads.get(lead_id)

    assert get.delay("lead_123").get().id == "lead_123"
    failed = get.delay("lead_nope")
    with pytest.raises(NotFoundError) as raised:
        app.AsyncResult(failed.id).get()  # as it was stored
    assert raised.value.code and raised.value.request_id


def test_rq(client: CrmClient) -> None:
    rq = pytest.importorskip("rq")
    fakeredis = pytest.importorskip("fakeredis")
    queue = rq.Queue(is_async=False, connection=fakeredis.FakeStrictRedis())
    lead = client.leads.get("lead_123")
    assert queue.enqueue(Lead.model_dump, lead, mode="json").return_value()["id"] == "lead_123"
    assert queue.enqueue("copy.copy", lead).return_value() == lead


def test_dramatiq(client: CrmClient) -> None:
    dramatiq = pytest.importorskip("dramatiq")
    stubs = pytest.importorskip("dramatiq.brokers.stub")
    broker = stubs.StubBroker()
    create = dramatiq.actor(client.leads.create, broker=broker, actor_name="create", max_retries=0)
    create.send({"name": "Grace Hopper"})
    worker = dramatiq.Worker(broker, worker_timeout=10)
    worker.start()
    broker.join("default", fail_fast=True)
    worker.stop()
    broker.close()
    assert client.leads.list(search="Grace Hopper").total == 1

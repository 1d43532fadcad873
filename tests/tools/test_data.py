"""Tables and databases: records become rows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm_sdk import CrmClient


def test_pandas(client: CrmClient) -> None:
    pandas = pytest.importorskip("pandas")
    deals = client.deals.list(limit=200).items
    frame = pandas.DataFrame([deal.model_dump() for deal in deals])
    assert frame.groupby("stage")["value"].sum().sum() == sum(deal.value for deal in deals if deal.value is not None)
    assert str(frame["created_at"].dtype).startswith("datetime64[")


def test_polars(client: CrmClient) -> None:
    polars = pytest.importorskip("polars")
    deals = client.deals.list(limit=200).items
    frame = polars.DataFrame([{"id": deal.id, "value": deal.value, "made": deal.created_at} for deal in deals])
    assert frame["value"].sum() == sum(deal.value for deal in deals if deal.value is not None)
    assert frame["made"].dtype == polars.Datetime("us", "UTC")


def test_duckdb(client: CrmClient) -> None:
    duckdb = pytest.importorskip("duckdb")
    pandas = pytest.importorskip("pandas")
    deals = client.deals.list(limit=200).items
    frame = pandas.DataFrame([{"stage": deal.stage, "value": deal.value} for deal in deals])
    with duckdb.connect() as db:
        db.register("deals", frame)
        ((total,),) = db.sql("select sum(value) from deals").fetchall()
    assert Decimal(str(total)) == sum(deal.value for deal in deals if deal.value is not None)


def test_sqlalchemy(client: CrmClient) -> None:
    sa = pytest.importorskip("sqlalchemy")
    table = sa.Table(
        "leads", sa.MetaData(), sa.Column("id", sa.String, primary_key=True), sa.Column("name", sa.String),
        sa.Column("value", sa.String), sa.Column("created_at", sa.DateTime), sa.Column("tags", sa.JSON),
    )  # fmt: skip
    engine = sa.create_engine("sqlite://")
    table.create(engine)
    leads = client.leads.list(limit=200).items
    rows = [lead.model_dump(include=set(table.c.keys())) | {"value": lead.value and str(lead.value)} for lead in leads]
    with engine.begin() as db:
        db.execute(table.insert(), rows)
        stored = db.execute(sa.select(table.c.id, table.c.value)).all()
    assert {(lead.id, lead.value) for lead in leads} == {(id, value and Decimal(value)) for id, value in stored}
    engine.dispose()


def test_pydantic_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("pydantic_settings")
    from pydantic import AnyHttpUrl, SecretStr

    fields = {"__annotations__": {"base_url": AnyHttpUrl, "api_key": SecretStr, "timeout": float}}
    settings = type(
        "Settings", (module.BaseSettings,), {**fields, "__module__": __name__, "model_config": {"env_prefix": "SHOP_"}}
    )
    for name, value in {"BASE_URL": "https://crm.test", "API_KEY": "hush", "TIMEOUT": "5"}.items():
        monkeypatch.setenv(f"SHOP_{name}", value)
    with CrmClient(**settings().model_dump()) as client:
        assert "hush" not in repr(client)
        assert "crm.test" in repr(client)

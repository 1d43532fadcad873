"""How likely customers are to leave: contacts by what was said and sold, accounts by their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Context, Members
from .. import company
from ..accounts.figures import contact_weight, mean_of_contacts
from ..ai.churn_risk import texts_of
from ..contacts import health
from ..contacts.talks import communications_of

HIGH, MEDIUM = 60, 35
"""The least risks of the levels high and medium."""
EMPTY = 50
"""The risk of an account without contacts."""
_CUSTOMERS = ("customer", "evangelist")
_SHOWN = 5
"""So many contacts of an account are named in its reasons and risk factors."""


def customers_to_predict(
    call: Context, contact_ids: Sequence[str] | None, account_ids: Sequence[str] | None
) -> list[tuple[str, str]]:
    """Return the named contacts and accounts; without any, those that are customers. Raises 422 for unknown ones."""
    if contact_ids is None and account_ids is None:
        contacts = [doc for doc in readable(call, "contact") if doc["lifecycle_stage"] in _CUSTOMERS]
        accounts = [
            doc
            for doc in readable(call, "account", call.collection("account").find("type", "customer"))
            if doc["status"] != "churned"
        ]
        return [("contact", doc["id"]) for doc in contacts] + [("account", doc["id"]) for doc in accounts]
    return [
        *(("contact", id) for id in call.resolve("contact", contact_ids or (), "contact_ids")),
        *(("account", id) for id in call.resolve("account", account_ids or (), "account_ids")),
    ]


def predict(call: Context, targets: Iterable[Sequence[str]], min_risk: int, horizon_days: int) -> list[dict[str, Any]]:
    """Return the predictions of contacts and accounts that have at least a risk; deleted ones have none."""
    found: list[dict[str, Any]] = []
    for kind, id in targets:
        doc = call.find_one(kind, id)
        if doc is not None:
            judge = _contact if kind == "contact" else _account
            found.append(_whole(call, kind, doc, judge(call, doc, horizon_days)))
    return [one for one in found if one["churn_risk"] >= min_risk]


def in_order(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return predictions, the greatest risk first."""
    return sorted(found, key=lambda one: (-one["churn_risk"], -one["value_at_risk"], one["entity"]["id"]))


def _whole(call: Context, kind: str, doc: Members, judged: Mapping[str, Any]) -> dict[str, Any]:
    risk: int = judged["churn_risk"]
    return {
        "entity": {"type": kind, "id": doc["id"], "name": doc["name"]},
        "risk_level": "high" if risk >= HIGH else "medium" if risk >= MEDIUM else "low",
        **{name: value for name, value in judged.items() if name != "value"},
        "value_at_risk": (judged["value"] * risk / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP"),
        "currency": call.tenant["base_currency"],
    }


def _contact(call: Context, doc: Document, horizon_days: int) -> dict[str, Any]:
    """Return the risk of a contact, which is stored with it, and the parts that it is computed from."""
    now = health.refresh(call, doc["id"]) or doc
    talks, deals = communications_of(call, doc["id"]), health.deals_of(call, doc["id"])
    factors = health.churn_factors(now, talks, deals, call.now)
    total = health.CHURN_START + sum(factor.points for factor in factors)
    reasons = [_reason("start", "Where every contact begins", None, health.CHURN_START)]
    reasons += [_reason("factor", factor.label, None, factor.points) for factor in factors if factor.points]
    if total != now["churn_risk"]:
        reasons.append(_reason("bounds", "A risk is between 0 and 100", total, now["churn_risk"] - total))
    later = health.churn_risk(now, talks, deals, call.now + timedelta(days=horizon_days))
    if later != now["churn_risk"]:
        reasons.append(_reason("outlook", f"The risk in {horizon_days} days if nothing more is said", later, 0))
    value = Decimal(now["total_value"] or 0)
    return {"churn_risk": now["churn_risk"], "reasons": reasons, **texts_of(factors), "value": value}


def _account(call: Context, doc: Document, horizon_days: int) -> dict[str, Any]:
    """Return the risk of an account: the mean of its contacts', those that are talked with most counting most."""
    contacts = [
        health.refresh(call, contact["id"]) or contact
        for contact in call.collection("contact").find("account_id", doc["id"])
    ]
    risk = mean_of_contacts(call, contacts, "churn_risk", empty=EMPTY)
    worth = company.worth_in(call.tenant)
    deals = call.collection("deal").find("account_id", doc["id"])
    value = company.total(worth(deal) for deal in deals if deal["status"] in ("open", "won"))
    whole = {"churn_risk": risk, "value": value}
    if not contacts:
        reasons = [_reason("contacts", "Nobody there is known", 0, risk)]
        return whole | {
            "reasons": reasons,
            "risk_factors": ["Nobody there is known"],
            "recommendations": ["Find out who decides, and introduce yourself"],
        }
    shares = sorted(
        ((contact["churn_risk"] * contact_weight(call, contact), contact) for contact in contacts),
        key=lambda share: (-share[0], share[1]["id"]),
    )
    weights = sum(contact_weight(call, contact) for contact in contacts)
    reasons = [
        _reason("contacts", contact["name"], contact["churn_risk"], round(share / weights))
        for share, contact in shares[:_SHOWN]
    ]
    rest = risk - sum(reason["points"] for reason in reasons)
    if rest:
        reasons.append(_reason("others", "The other contacts, and what was rounded", len(shares[_SHOWN:]), rest))
    told = [_contact(call, contact, horizon_days) for _, contact in shares[:_SHOWN]]
    named = [
        f"{contact['name']}: {text[:1].lower()}{text[1:]}"
        for (_, contact), one in zip(shares, told, strict=False)
        for text in one["risk_factors"][:2]
    ]
    advice = list(dict.fromkeys(text for one in told for text in one["recommendations"]))
    return whole | {"reasons": reasons, "risk_factors": named, "recommendations": advice}


def _reason(feature: str, label: str, value: object, points: int) -> dict[str, Any]:
    return {"feature": feature, "label": label, "value": value, "points": points}

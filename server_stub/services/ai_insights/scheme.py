"""How a company scores its leads: its configuration, its own rules, and the model where it is trained and in use.

The configuration and the model are records of the collection ``lead_scoring``; a company has the defaults until it
changes or trains them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_sdk.models.ai_insights import LeadScoringConfig
from crm_sdk.models.leads import Lead

from ...data.blanks import blank
from ...data.document import Document
from ...data.queries.field_types import custom_types
from ...data.queries.filter_groups import FieldType, compile_filter
from ...data.queries.filters import filter_fields
from ...data.queries.query import member
from ...problems import Problem
from ...serving import Collections, Members

KIND = "lead_scoring"
"""The collection with the two records."""
_SCORED = ("score", "score_reasons", "rating")
FIELDS: Mapping[str, FieldType] = {name: kind for name, kind in filter_fields(Lead).items() if name not in _SCORED}
"""The members of a lead that a rule can be about: all but its score, which a rule on it would move for ever."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A company's own rule, ready to be applied."""

    name: str
    points: int
    field: str
    holds: Callable[[Document], bool]


@dataclass(frozen=True, slots=True)
class Fit:
    """A trained model: the log odds of a conversion are the bias and the weights of the features that a lead has."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, features: Sequence[str]) -> float:
        """Return how likely a lead with these features converts, 0..1."""
        odds = self.bias + sum(self.weights.get(name, 0.0) for name in features)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a company scores its leads at present."""

    config: Members
    rules: Sequence[Rule]
    fit: Fit | None
    """The model; None where it is not trained or not in use."""
    version: int | None
    """The version of the model in use."""

    @property
    def source(self) -> str:
        """What scores come from: ``model``, or only ``rules``."""
        return "rules" if self.fit is None else "model"

    def has(self, feature: str) -> bool:
        """Return whether a feature counts; excluding ``source`` excludes ``source=referral``, too."""
        excluded = self.config["excluded_features"]
        return feature not in excluded and feature.partition("=")[0] not in excluded

    def rating(self, score: int) -> str:
        """Return the rating of a score."""
        if score >= self.config["hot_threshold"]:
            return "hot"
        return "warm" if score >= self.config["warm_threshold"] else "cold"

    def rule_reasons(self, lead: Members) -> Iterator[dict[str, Any]]:
        """Yield the reasons of the company's own rules that hold for a lead."""
        doc = lead if isinstance(lead, Document) else Document(lead)
        for rule in self.rules:
            if rule.holds(doc):
                value = member(doc, rule.field)
                plain = None if isinstance(value, (dict, list)) else value
                yield {"feature": f"rule={rule.name}", "label": rule.name, "value": plain, "points": rule.points}


def config_of(collections: Collections) -> Document:
    """Return the configuration of a company: its own, else the default one, as old as the company."""
    own = collections(KIND).get("config")
    if own is not None:
        return own
    (tenant,) = collections("tenant").all()
    return Document({**blank(LeadScoringConfig), "id": "config", "updated_at": tenant["created_at"]})


def _rules_in_use(config: Members, types: Mapping[str, FieldType], now: datetime) -> Iterator[Rule]:
    """Yield the active rules; one whose condition is on a custom field that has gone since gives no points."""
    for rule in config["rules"]:
        if rule["active"]:
            with suppress(Problem):
                yield Rule(rule["name"], rule["points"], *compile_filter(rule["filter"], types, now=now))


def field_types(collections: Collections) -> dict[str, FieldType]:
    """Return the fields that the condition of a rule can test, with their types."""
    return {**FIELDS, **custom_types(collections("field"), "lead")}


def scheme_of(collections: Collections, now: datetime) -> Scheme:
    """Return how a company scores its leads at a time."""
    config, model = config_of(collections), collections(KIND).get("model")
    in_use = model is not None and model["version"] > 0 and config["use_model"] and config["model_weight"] > 0
    types = field_types(collections)
    return Scheme(
        config,
        list(_rules_in_use(config, types, now)),
        Fit(model["bias"], model["weights"]) if in_use and model is not None else None,
        model["version"] if in_use and model is not None else None,
    )

"""A logistic regression on features that a lead has or has not, and how well it judges leads it was not trained with.

It is fitted by gradient descent from zero over all samples at once, so that the same samples give the same weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from .scheme import Fit

STEPS, RATE, DAMPING = 300, 0.5, 0.05
"""The number of steps, their length, and the weight of the squares of the weights (L2), which keeps these small."""
RARE = 2
"""A feature that fewer samples have is left out."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A past lead: its features, and whether it converted."""

    id: str
    features: Sequence[str]
    converted: bool


def split(samples: Iterable[Sample], holdout: float) -> tuple[list[Sample], list[Sample]]:
    """Return the samples to train with and those to measure with: of each outcome the same share, drawn by their ids.

    At least one sample of each outcome is trained with.
    """
    train: list[Sample] = []
    measure: list[Sample] = []
    drawn = sorted(samples, key=lambda sample: blake2b(sample.id.encode(), digest_size=8).digest())
    for outcome in (False, True):
        same = [sample for sample in drawn if sample.converted is outcome]
        count = min(max(round(holdout * len(same)), 1 if holdout else 0), len(same) - 1)
        measure += same[:count]
        train += same[count:]
    return train, measure


def fit(samples: Sequence[Sample]) -> Fit:
    """Return the regression of the samples."""
    frequent = Counter(name for sample in samples for name in sample.features)
    names = sorted(name for name, count in frequent.items() if count >= RARE)
    places = {name: place for place, name in enumerate(names)}
    # Equal samples are one with a weight: few features make few different leads.
    rows = Counter(
        (tuple(sorted(places[name] for name in sample.features if name in places)), sample.converted)
        for sample in samples
    )
    bias, weights = 0.0, [0.0] * len(names)
    for _ in range(STEPS):
        slope, slopes = 0.0, [DAMPING * weight for weight in weights]
        for (row, converted), count in sorted(rows.items()):
            odds = bias + sum(weights[place] for place in row)
            error = count * (1 / (1 + math.exp(-odds)) - converted) / len(samples)
            slope += error
            for place in row:
                slopes[place] += error
        bias -= RATE * slope
        weights = [weight - RATE * step for weight, step in zip(weights, slopes, strict=True)]
    return Fit(round(bias, 6), {name: round(weight, 6) for name, weight in zip(names, weights, strict=True)})


def weights_of(found: Fit, samples: Sequence[Sample], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the FeatureWeights of a regression, the most important first.

    The importance of a feature is its weight times the standard deviation of having it, as a share of all of them.
    """
    counts = Counter(name for sample in samples for name in sample.features)
    shares = {name: counts[name] / len(samples) for name in found.weights}
    spread = {name: abs(found.weights[name]) * math.sqrt(share * (1 - share)) for name, share in shares.items()}
    whole = sum(spread.values())
    return [
        {
            "feature": name,
            "label": labels[name],
            "weight": found.weights[name],
            "importance": round(spread[name] / whole if whole else 1 / len(spread), 6),
        }
        for name in sorted(spread, key=lambda name: (-spread[name], name))
    ]


def metrics_of(found: Fit, samples: Sequence[Sample]) -> dict[str, Any] | None:
    """Return how well a regression judges samples; None without samples."""
    if not samples:
        return None
    judged = [(found.probability(sample.features), sample.converted) for sample in samples]
    right = sum((probability >= 0.5) is converted for probability, converted in judged)
    expected = [converted for probability, converted in judged if probability >= 0.5]
    converted = [probability for probability, converted in judged if converted]
    others = [probability for probability, converted in judged if not converted]
    loss = sum(-math.log(probability if converted else 1 - probability) for probability, converted in judged)
    return {
        "accuracy": _share(right, len(judged)),
        "precision": _share(sum(expected), len(expected)),
        "recall": _share(sum(expected), len(converted)),
        "auc": _auc(converted, others),
        "log_loss": round(loss / len(judged), 4),
        "holdout_count": len(judged),
    }


def _auc(converted: Collection[float], others: Collection[float]) -> float:
    """Return how often a converted sample has the greater probability; equal ones count half, and 0.5 without pairs."""
    if not converted or not others:
        return 0.5
    wins = sum((high > low) + (high == low) / 2 for high in converted for low in others)
    return round(wins / (len(converted) * len(others)), 4)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0

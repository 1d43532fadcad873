"""An exchange that is driven by hand: its outcomes are given, and what it asks for is noted."""

from __future__ import annotations

from typing import Any

from canned_answers import Standing

from crm_sdk.credentials import Credentials
from crm_sdk.errors import NetworkError
from crm_sdk.exchange import Habits, Refresh, Reply, Request, Send, Sleep, Steps, Terms, exchange
from crm_sdk.network.retry import Retry

KEY = "the-key"


def answer(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()})


class Drive:
    """Carries out the steps with given outcomes, and notes what was asked for."""

    def __init__(self, method: str = "GET", *outcomes: Reply | NetworkError, **terms: Any) -> None:
        self.clock = Standing()
        self.habits = terms.pop("habits", None) or Habits()
        self.credentials: Credentials = terms.pop("credentials", None) or Credentials("token")
        self.seconds = terms.pop("seconds", 0.0)  # how long each attempt takes
        headers = {"Idempotency-Key": KEY} if method == "POST" and terms.pop("keyed", True) else {}
        retry = Retry(terms.pop("retries", 2))
        settings: dict[str, Any] = {"timeout": 30.0} | terms
        self.terms = Terms(retry=retry, clock=self.clock, credentials=self.credentials, habits=self.habits, **settings)
        self.sent: list[Send] = []
        self.slept: list[float] = []
        self.refreshed: list[Refresh] = []
        self.outcomes = list(outcomes)
        self.steps: Steps[Reply] = exchange(Request(method, "http://h/x?secret=1", headers, b"{}"), self.terms)

    def run(self) -> Reply:
        outcome: Any = None
        step: Any = next(self.steps)
        try:
            while True:
                failure: NetworkError | None = None
                outcome = None
                if isinstance(step, Send):
                    self.sent.append(step)
                    self.clock.now += self.seconds
                    found = self.outcomes.pop(0)
                    if isinstance(found, NetworkError):
                        failure = found
                    else:
                        outcome = found
                elif isinstance(step, Sleep):
                    self.slept.append(step.seconds)
                    self.clock.now += step.seconds
                else:
                    self.refreshed.append(step)
                    self.renew()
                step = self.steps.throw(failure) if failure else self.steps.send(outcome)
        except StopIteration as stop:
            reply: Reply = stop.value
            return reply

    def renew(self) -> None:
        self.credentials.replace("newer", "next")

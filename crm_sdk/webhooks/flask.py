"""Receive webhooks in Flask."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from .receiver import LIMIT, TOO_LARGE, WRONG_METHOD, Outcome, Webhooks


def receiver(webhooks: Webhooks, path: str, *, limit: int = LIMIT, name: str = "crm_webhooks") -> Blueprint:
    """Return a blueprint with one route: ``app.register_blueprint(receiver(webhooks, "/webhooks/crm"))``."""
    blueprint = Blueprint(name, __name__)

    def receive() -> Response:
        outcome = _outcome(webhooks, limit)
        return Response(outcome.body, outcome.status, outcome.headers)

    # Every method, including OPTIONS, so that the receiver itself answers a wrong one.
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    blueprint.add_url_rule(path, "receive", receive, methods=methods, provide_automatic_options=False)
    return blueprint


def _outcome(webhooks: Webhooks, limit: int) -> Outcome:
    if request.method != "POST":
        return WRONG_METHOD
    request.max_content_length = limit + 1  # Flask cuts a body of unknown length there, without an error
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        return TOO_LARGE
    return TOO_LARGE if len(body) > limit else webhooks.handle(request.headers, body)

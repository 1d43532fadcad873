"""Receive webhooks in Django."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from .receiver import LIMIT, TOO_LARGE, WRONG_METHOD, Outcome, Webhooks


def receiver(webhooks: Webhooks, *, limit: int = LIMIT) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view, for ``path("webhooks/crm", …)``. It needs no CSRF token, since deliveries are signed."""

    @csrf_exempt
    def receive(request: HttpRequest) -> HttpResponse:
        outcome = _outcome(webhooks, request, limit)
        return HttpResponse(outcome.body, status=outcome.status, headers=dict(outcome.headers))

    return receive


def _outcome(webhooks: Webhooks, request: HttpRequest, limit: int) -> Outcome:
    if request.method != "POST":
        return WRONG_METHOD
    # Not `request.body`, which has a limit of its own; if a middleware has read that, this reads it again.
    body = request.read(limit + 1)
    return TOO_LARGE if len(body) > limit else webhooks.handle(request.headers, body)

"""Decisions about access: the functions that decide every call are asked, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_sdk.resources.security import Security
from crm_sdk.route import Action
from crm_sdk.wire import snake

from ...caller import Caller
from ...data.document import Document
from ...noun import Noun
from ...problems import Problem, invalid, missing
from ...request.access import features, permissions
from ...request.access.callers import user_caller
from ...request.access.hiding import is_limited
from ...serving import Context, Members, serves
from ..custom_objects.stored import RECORDS
from .grants import grants_of
from .words import is_known


@serves(Security.check)
def check(call: Context, checks: Sequence[Members], user_id: str | None) -> list[dict[str, Any]]:
    """Return a decision for each question, about the caller or another user."""
    user = None
    if user_id is not None and user_id != call.caller.user_id:
        permissions.check(call.caller, "security", "read")
        user = call.reference("user", user_id, "user_id")
    who = user_caller(call.server.store, user, call.now) if user is not None else call.caller
    mine = user or (call.collection("user").get(who.user_id) if who.user_id is not None else None)
    asked = call.acting_as(who)
    return [_Question(asked, mine, check, number).decision() for number, check in enumerate(checks)]


class _Question:
    """One question: what is to be done with a resource, or with one record."""

    def __init__(self, call: Context, user: Document | None, check: Members, number: int) -> None:
        self.call, self.user, self.check = call, user, check
        self.action: Action = check["action"]
        self.entity: Mapping[str, Any] | None = check.get("entity")
        kind = str(self.entity["type"]) if self.entity is not None else ""
        named = kind or str(check.get("resource"))
        object = next(iter(call.collection("custom_object").find("api_name", named)), None)
        self.own = named if object is not None else None
        self.noun: Noun | None = RECORDS if self.own is not None else call.server.nouns.get(kind)
        if self.entity is not None and self.noun is None:
            raise invalid(f"checks.{number}.entity.type", "choice", f"there is no kind of records {kind!r}")
        word = self.noun.word if self.noun is not None else check.get("resource")
        if word is None:
            raise invalid(f"checks.{number}.resource", "required", "name a resource or an entity")
        self.word = permissions.resource_of(str(word))
        self.resource = f"{self.word}.{object['id']}" if object is not None else self.word
        self.asked = named if object is not None and object["id"] in call.caller.objects else self.word
        if not is_known(call, self.word, "read") and not any(
            is_known(call, self.word, action) for action in ("manage", "create", "update")
        ):
            raise invalid(f"checks.{number}.resource", "choice", f"there is no resource {word!r}")

    @property
    def caller(self) -> Caller:
        return self.call.caller

    def decision(self) -> dict[str, Any]:
        """Return the decision."""
        scope = permissions.scope_for(self.caller, self.resource, self.action)
        reason, denied = self._reason()
        return {
            "allowed": reason == "granted",
            "reason": reason,
            "permission": f"{self.asked}:{self.action}",
            "scope": scope,
            "via": self._grants() if reason in ("granted", "field_forbidden") else [],
            "denied_fields": denied,
        }

    def _reason(self) -> tuple[str, list[str]]:
        if self.user is not None and self.user.get("status") == "inactive":
            return "user_inactive", []
        feature = self.word
        if not features.is_on(self.call.server, self.caller, feature):
            switches: Mapping[str, bool] = self.call.tenant.get("features") or {}
            return ("feature_disabled" if feature in switches else "not_in_plan"), []
        if not permissions.permits(self.caller, self.resource, self.action):
            return "no_permission", []
        if self.noun is not None and self.entity is not None:
            try:
                self._reach(self.noun, str(self.entity["id"]))
            except Problem as problem:
                if problem.code == "NOT_FOUND":
                    return "not_found", []
                if problem.code == "FORBIDDEN":
                    return "out_of_scope", []
        denied = self._denials()
        return ("field_forbidden", denied) if denied else ("granted", [])

    def _reach(self, noun: Noun, id: str) -> None:
        """Find the record as a call does that does this with it. Raises what the call would."""
        doc = noun.find_one(self.call, id)
        if self.own is not None:
            object = self.call.collection("custom_object").get(doc["object_id"])
            if object is None or object["api_name"] != self.own:
                raise missing("record", id)
        if self.action != "read":
            noun.writable(self.call, doc["id"], self.action)

    def _denials(self) -> list[str]:
        """Return those of the fields that cannot be read, or for a write cannot be written."""
        fixed = self.caller.fixed if self.action in ("create", "update") else frozenset[str]()
        limited = self.caller.hidden | fixed
        names: Sequence[str] = self.check.get("fields") or ()
        return [name for name in names if any(is_limited(limited, kind, _stored_name(name)) for kind in self._kinds)]

    @property
    def _kinds(self) -> Iterable[str]:
        """The kinds of the records that are asked for: those of the resource where no record is named."""
        if self.own is not None:
            return (self.own,)
        if self.noun is not None:
            return (self.noun.kind, self.noun.collection)
        return {one.collection for one in self.call.server.nouns.values() if one.word == self.word} or (self.word,)

    def _grants(self) -> list[dict[str, str]]:
        """Return what gives the permission."""
        if self.user is None:
            return []
        doc = self.noun.records(self.call).get(str(self.entity["id"])) if self.noun and self.entity else None
        return list(grants_of(self.call, self.user, (self.own, self.word), self.action, doc))


def _stored_name(name: str) -> str:
    """Return the name of a field as it is stored; what is within another one keeps its own name."""
    head, _, rest = name.partition(".")
    return f"{snake(head)}.{rest}" if rest else snake(head)

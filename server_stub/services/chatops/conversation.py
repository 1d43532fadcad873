"""The rules of messages: a text is answered in its conversation; a plan is carried out when it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import takewhile
from typing import Any

from crm_sdk.resources.chatops import Chatops
from crm_sdk.wire import is_object

from ...data.document import Document
from ...problems import Problem, invalid, missing
from ...request.access import permissions
from ...request.access.callers import user_caller
from ...request.access.plans import check_limit
from ...request.reading.intake import arguments_of
from ...request.settings import value_for
from ...serving import Context, serves
from .. import company
from . import planning, reading, replies
from .commands import check, command_named, nearest
from .questions import answered_question
from .subjects import Subject, subject_named, subject_of
from .tokens import plain, tokens
from .turns import Reply, Several, Turn, choices, intent, invoke
from .words import Unclear, users_named

MESSAGE, _SESSION = "chat_message", "chat_session"
IDLE = timedelta(minutes=30)
"""A conversation that was silent for so long begins anew."""
TIME = timedelta(minutes=10)
"""A plan can be confirmed for so long."""
_LIMIT = "chat_messages_per_day"
_LONGEST = 4_000
_WRITES: Mapping[str, Callable[[Turn, str], Reply]] = {
    "create": planning.create, "set": planning.change, "move": planning.move, "done": planning.complete,
    "assign": planning.assign, "log": planning.log, "schedule": planning.schedule,
}  # fmt: skip


@serves(Chatops.send)
def send(
    call: Context,
    text: str,
    session_id: str | None,
    context: Mapping[str, Any] | None,
    channel: str,
    on_behalf_of: str | None,
    language: str | None,
) -> Document:
    """Answer a text: what reads at once, what writes by a plan."""
    if len(text) > _LONGEST:
        raise invalid("text", "max", f"must have at most {_LONGEST} characters")
    acting = call if on_behalf_of is None else _behalf(call, on_behalf_of)
    check_limit(call.tenant, _LIMIT, sent_today(call))
    session = _session(call, acting, session_id)
    turn = Turn(acting, text, replies.language_of(acting, language), session["told"], context)
    if context is not None and turn.by_id(str(context["id"])) is None:
        message = f"no {context['type']} has the id {context['id']!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="context.id", rule="reference")
    reply = _reply(turn)
    common = {"session_id": session["id"], "channel": channel, "language": turn.language, "asked_by": _asker(call)}
    asked = acting.create(MESSAGE, "chat_", _message("user", text, **common))
    plan = None
    if reply.plan is not None:
        plan = {**reply.plan, "id": acting.new_id("plan_"), "status": "pending", "expires_at": call.now + TIME}
    text, records, total = reply.text, reply.records, reply.total
    if plan is not None and not value_for(call, None, "chatops.confirm_writes"):
        plan, records, text = _settled_plan(acting, plan, turn.language)
        total = len(records)
    answer = acting.create(
        MESSAGE, "chat_",
        _message("assistant", text, **common, in_reply_to=asked["id"], plan=plan, acting=acting.caller.user_id,
                 intent=reply.intent, records=records, total=total, figures=reply.figures,
                 suggestions=reply.suggestions[:3]),
    )  # fmt: skip
    told = records or ([] if reply.intent["name"] in ("list", "show") else session["told"])
    acting.update(_SESSION, session, {"told": told, "last_at": call.now})
    said = {"intent": reply.intent["name"], "channel": channel, "session_id": session["id"]}
    by = {"by": call.caller.actor_id} if acting is not call else {}
    acting.emit("chatops.message", MESSAGE, shown_message(answer), metadata={**said, **by})
    if plan is not None and plan["status"] == "done":
        _tell_executed(acting, answer)
    return shown_message(answer)


def sent_today(call: Context) -> int:
    """Return how many messages the company's users have sent on its present day."""
    begin = company.midnight(call, company.today(call))
    today = takewhile(lambda doc: doc["created_at"] >= begin, call.collection(MESSAGE).backwards())
    return sum(doc["role"] == "user" for doc in today)


def _asker(call: Context) -> str:
    return call.caller.user_id or call.caller.actor_id


def _behalf(call: Context, named: str) -> Context:
    """Return the call as made by the user for whom a bot asks, with no more than both may. Raises: 403; 422."""
    permissions.check(call.caller, "chatops", "manage")
    users = [user for user in users_named(call, named) if named in (user["id"], user["email"])] or [
        user for user in call.collection("user") if user["email"].casefold() == named.casefold()
    ]
    if not users or users[0].get("status") == "inactive":
        message = f"no user has the id or the address {named!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="on_behalf_of", rule="reference")
    return call.acting_as(user_caller(call.server.store, users[0], call.now, granted=call.caller.granted))


def _session(call: Context, acting: Context, session_id: str | None) -> Document:
    """Return the conversation to go on with, or a new one. Raises: 404 for that of somebody else."""
    if session_id is not None:
        session = call.collection(_SESSION).get(session_id)
        if session is None or session["asked_by"] != _asker(call) or session["acting"] != acting.caller.user_id:
            raise missing("conversation", session_id)
        if call.now - session["last_at"] < IDLE:
            return session
    members: dict[str, Any] = {
        "asked_by": _asker(call),
        "acting": acting.caller.user_id,
        "told": [],
        "last_at": call.now,
    }
    return call.create(_SESSION, "chatsession_", members)


def _message(role: str, text: str, **members: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "in_reply_to": None, "intent": None, "records": [], "total": None, "figures": [], "plan": None,
        "suggestions": [],
    }  # fmt: skip
    return {"role": role, "text": text, **empty, **members}


def shown_message(message: Document, plan: Mapping[str, Any] | None = None) -> Document:
    """Return a message as it is answered: its plan without what carries it out."""
    plan = plan if plan is not None else message["plan"]
    if not is_object(plan):
        return message
    whole = {
        **{name: value for name, value in plan.items() if name != "steps"},
        "operations": [one["operation"] for one in plan["steps"]],
        "changes": [change for one in plan["steps"] if one["operation"]["id"] for change in one["changes"]],
    }
    return message | {"plan": whole}


# -- what a text means -------------------------------------------------------------------------------------------------


def _reply(turn: Turn) -> Reply:
    text = plain(turn.text).strip()
    turn.text = text
    try:
        if text.startswith("/"):
            return _command(turn, text)
        return answered_question(turn) or _not_understood(turn)
    except Unclear as unclear:
        facts = {"total": 2, **unclear.facts} if "entity" in unclear.facts else unclear.facts
        reply = _not_understood(turn)
        return Reply(
            turn.say(unclear.phrase, **facts), _meant_intent(turn, unclear, reply.intent), suggestions=reply.suggestions
        )
    except Several as several:
        found = [dict(one) for one in several.found]
        reply = Reply(turn.say("which", what=several.what), _meant_intent(turn, None, intent("unknown", confidence=0)))
        reply.records, reply.total = found[:20], len(found)
        reply.suggestions = choices(several, text)
        return reply


def _meant_intent(turn: Turn, unclear: Unclear | None, otherwise: dict[str, Any]) -> dict[str, Any]:
    """Return the intent of a command that could not be answered: that of the command where only a record is missing."""
    command = command_named(turn.text[1:].split()[0].casefold()) if turn.text[1:].split() else None
    if command is None or (unclear is not None and unclear.phrase not in ("nothing", "no_it")):
        return otherwise
    return intent(command.intent)


def _not_understood(turn: Turn) -> Reply:
    near = nearest(turn.call, turn.text)
    names = ", ".join(command.usage for command in near)
    usages = [command.usage for command in near]
    return Reply(turn.say("unknown", names=names), intent("unknown", confidence=0), suggestions=usages)


def _command(turn: Turn, text: str) -> Reply:
    word, _, rest = text[1:].partition(" ")
    command = command_named(word.casefold())
    if command is None:
        return _not_understood(turn)
    check(turn.call, command)
    rest = rest.strip()
    if not rest and command.name != "help":
        raise Unclear("usage", usage=command.usage)
    if command.name in _WRITES:
        return _WRITES[command.name](turn, rest)
    if command.name == "help":
        return reading.help_reply(turn)
    if command.name in ("show", "summarize"):
        return reading.show_reply(turn, tokens(rest), summary=command.name == "summarize")
    if command.name == "sum":
        return _sum(turn, rest)
    given = tokens(rest)
    return reading.list_reply(
        turn, _subject(given[0].word if given else ""), given[1:], only_count=command.name == "count"
    )


def _sum(turn: Turn, rest: str) -> Reply:
    given = tokens(rest)
    if len(given) < 3 or given[1].word not in ("of", "von", "de", "من"):
        raise Unclear("usage", usage="/sum <field> of <entity> [words]")
    return reading.added_up(turn, _subject(given[2].word), given[0].text, given[3:])


def _subject(word: str) -> Subject:
    subject = subject_named(word)
    if subject is None:
        raise Unclear("usage", usage="/list <entity> [words]")
    return subject


# -- confirming --------------------------------------------------------------------------------------------------------


@serves(Chatops.confirm)
def confirm(call: Context, message_id: str, accept: bool) -> Document:
    """Carry out the plan of an answer, all of it or nothing, or cancel it."""
    message = call.collection(MESSAGE).get(message_id)
    if message is None or message["asked_by"] != _asker(call):
        raise missing("message", message_id)
    plan = message["plan"]
    if plan is None:
        raise Problem("NO_PLAN", f"{message_id} plans nothing", details={"id": message_id})
    if plan["status"] != "pending":
        raise Problem("PLAN_DONE", f"the plan is {plan['status']}", details={"status": plan["status"]})
    if call.now >= plan["expires_at"]:
        raise Problem("PLAN_EXPIRED", "the plan is older than ten minutes: ask again")
    acting = _as_asked(call, message)
    settled, told, text = {**plan, "status": "cancelled"}, message["records"], ""
    if accept:
        settled, told, text = _settled_plan(acting, plan, message["language"])
    text = text or replies.say(message["language"], "cancelled")
    acting.update(MESSAGE, message, {"plan": settled})
    common = {name: message[name] for name in ("session_id", "channel", "language", "asked_by", "acting", "intent")}
    answer = acting.create(
        MESSAGE, "chat_",
        _message("assistant", text, **common, in_reply_to=message["id"], plan=settled, records=told, total=len(told)),
    )  # fmt: skip
    session = call.collection(_SESSION).get(message["session_id"])
    if session is not None:
        acting.update(_SESSION, session, {"told": told, "last_at": call.now})
    if accept:
        _tell_executed(acting, answer)
    return shown_message(answer)


def _settled_plan(
    call: Context, plan: Mapping[str, Any], language: str
) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """Carry out a plan, all of it or nothing; return it, the records that it wrote, and what is said of it."""
    records = [_carried_out(call, one) for one in plan["steps"]]
    return {**plan, "status": "done"}, records, replies.say(language, "done", what=plan["summary"])


def _tell_executed(call: Context, answer: Document) -> None:
    said = {"plan_id": answer["plan"]["id"], "ids": [entry["id"] for entry in answer["records"]]}
    call.emit("chatops.plan_executed", MESSAGE, shown_message(answer), metadata=said)


def _as_asked(call: Context, message: Document) -> Context:
    """Return the call as made by the user for whom the plan was made."""
    if message["acting"] in (None, call.caller.user_id):
        return call
    user = call.collection("user").get(message["acting"])
    if user is None or user.get("status") == "inactive":
        raise Problem("FORBIDDEN", "the user for whom this was planned may not work any more")
    return call.acting_as(user_caller(call.server.store, user, call.now, granted=call.caller.granted))


def _carried_out(call: Context, one: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out one write of a plan by the declared call that does it; return the reference to the record."""
    operation = next(operation for operation in call.server.rules if operation.id == one["call"])
    target = one["operation"]
    word = operation.id.partition(".")[0]
    given: dict[str, Any] = {}
    if target["id"] is not None:
        stored = call.record(target["entity"], target["id"])
        kind: str = stored["kind"] if target["entity"] == "activity" else target["entity"]
        call.server.nouns[kind].writable(call, stored["id"])
        call.lock(stored, target["version"])
        given[operation.positional[0]] = stored["id"]
    else:
        permissions.check(call.caller, word, "create")
    values, call.ignored = arguments_of(operation, operation.routes["platform"], {}, dict(one["members"]), {})
    doc = invoke(call, operation, {**given, **values})
    subject = subject_of(target["entity"], doc.get("kind") if target["entity"] == "activity" else None)
    name = Turn(call, "", "en").title(subject, doc) if subject is not None else None
    return {"type": target["entity"], "id": doc["id"], "name": name}

"""The rules of preferences: what users want, when they want it, and what holds a message back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_sdk.models.notification_preferences import ChannelPreferences, NotificationPreferences
from crm_sdk.resources.notification_settings import PreferencesOfUsers

from ...data import normalise
from ...data.blanks import blank
from ...data.document import Document
from ...data.merging import differences
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members, serves
from .recipients import Recipient
from .subscriptions import is_unsubscribed

KIND = "notification_preferences"
"""The kind of the records of preferences that a user has changed; their ids are those of the users."""
_OPT_OUTS = {"email": "email_opt_out", "sms": "sms_opt_out"}


def preferences_of(call: Context, user: Members) -> dict[str, Any]:
    """Return what a user wants; without any changes all channels are used."""
    own: Members = call.collection(KIND).get(user["id"]) or {}
    general: Members = user.get("preferences") or {}
    channels: dict[str, Any] = {**ChannelPreferences().model_dump(), **(own.get("channels") or {})}
    hours: Members | None = own.get("quiet_hours")
    return {
        **blank(NotificationPreferences),
        **{name: value for name, value in own.items() if name in NotificationPreferences.model_fields},
        "user_id": user["id"],
        "enabled": general.get("notifications") is not False,
        "channels": channels,
        "quiet_hours": {**hours, "timezone": hours.get("timezone") or zone_of(user)} if hours else None,
        "language": own.get("language") or general.get("language") or user.get("locale"),
    }


@serves(PreferencesOfUsers.get)
def get(call: Context, user_id: str | None) -> dict[str, Any]:
    """Return the preferences of a user."""
    return preferences_of(call, _user(call, user_id))


@serves(PreferencesOfUsers.update)
def update(call: Context, changes: Members, user_id: str | None) -> dict[str, Any]:
    """Change the preferences of a user; what is not given stays."""
    user = _user(call, user_id)
    own: Members = call.collection(KIND).get(user["id"]) or {}
    before = preferences_of(call, user)
    after = {**before, **changes}
    if "channels" in changes:
        after["channels"] = {**before["channels"], **changes["channels"]}
    if "types" in changes:
        after["types"] = _types(changes["types"] or ())
    hours: Any = own.get("quiet_hours")
    if "quiet_hours" in changes:
        hours = after["quiet_hours"] = _quiet_hours(changes["quiet_hours"], hours)
    if not differences(Document({**before, "quiet_hours": own.get("quiet_hours")}), {**after, "quiet_hours": hours}):
        return before
    stored = {name: after[name] for name in ("channels", "types", "digest", "language")} | {"quiet_hours": hours}
    call.collection(KIND).put(Document({**own, "id": user["id"], **stored}))
    if after["enabled"] != before["enabled"]:
        general: dict[str, Any] = {**(user.get("preferences") or {}), "notifications": bool(after["enabled"])}
        user = call.update("user", user, {"preferences": general})
    now = preferences_of(call, user)
    said = [
        {"field": name, "before": before[name], "after": now[name]} for name in now if now[name] != before[name]
    ]  # fmt: skip
    call.emit("notification.preferences_updated", "user", user, changes=said)
    return now


def zone_of(user: Members) -> str:
    """Return the time zone of a user."""
    return str(user.get("timezone") or "UTC")


def _quiet_hours(given: Members | None, before: Members | None) -> dict[str, Any] | None:
    """Return the quiet hours that follow from a change. Raises: 422 for those that do not begin or end."""
    if given is None:
        return None
    hours: dict[str, Any] = {"timezone": None, **(before or {}), **given}
    for name in ("start", "end"):
        if hours.get(name) is None:
            raise invalid(f"quiet_hours.{name}", "required", "quiet hours have a start and an end")
    if hours["timezone"] is not None:
        normalise.timezone(hours["timezone"], "quiet_hours.timezone")
    if hours["start"] == hours["end"]:
        raise invalid("quiet_hours.end", "min", "quiet hours end at another time than they start")
    return hours


def _types(types: Sequence[Members]) -> list[dict[str, Any]]:
    named = [one["type"] for one in types]
    for number, one in enumerate(types):
        if one["type"] in named[:number]:
            raise invalid(f"types.{number}.type", "unique", f"{one['type']!r} is there twice")
        if one["type"] == "system" and "in_app" not in one["channels"]:
            message = "notifications of the type system always go to the inbox: include in_app"
            raise invalid(f"types.{number}.channels", "required", message)
    return [{"type": one["type"], "channels": list(dict.fromkeys(one["channels"]))} for one in types]


def _user(call: Context, user_id: str | None) -> Document:
    """Return the user whose preferences are meant. Raises: 403 NO_USER; 403 for others'; 404."""
    own = call.caller.user_id
    if user_id is None and own is None:
        raise Problem("NO_USER", "an API key of nobody has no preferences: name a user by user_id")
    if user_id in (None, own, "me"):
        return call.record("user", str(own))
    permissions.check(call.caller, "notifications", "manage")
    return call.record("user", str(user_id))


def why_suppressed(call: Context, channel: str, recipient: Recipient, type: str, category: str | None) -> str | None:
    """Return why a message is not to be sent; None where it is. What is transactional is always sent."""
    if category == "transactional":
        return None
    user = recipient.user
    if user is not None and not (channel == "in_app" and type == "system"):
        wanted = preferences_of(call, user)
        only = next((one["channels"] for one in wanted["types"] if one["type"] == type), None)
        if not wanted["enabled"]:
            return "the user has switched notifications off"
        if not wanted["channels"].get(channel, True):
            return f"the user has switched off {channel}"
        if only is not None and channel not in only:
            return f"the user wants no {channel} for {type}"
    person, flag = recipient.person, _OPT_OUTS.get(channel)
    if person is not None and flag is not None and person.get(flag):
        return f"{person['name']} has opted out"
    if is_unsubscribed(call, recipient.address, channel, (category, type)):
        return f"{recipient.address} has unsubscribed"
    return None


def quiet_for(call: Context, channel: str, recipient: Recipient, priority: str, at: datetime) -> datetime | None:
    """Return until when a message waits for the recipient's quiet hours; None where it need not."""
    if recipient.user is None or channel == "in_app" or priority == "high":
        return None
    return quiet_until(preferences_of(call, recipient.user), at)


def quiet_until(wanted: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when the quiet hours end in which a time is; None where it is in none.

    An end that a clock shows twice, when it is put back, is the one after the time.
    """
    hours = wanted.get("quiet_hours")
    if hours is None:
        return None
    zone = ZoneInfo(hours["timezone"])
    start, end = time.fromisoformat(hours["start"]), time.fromisoformat(hours["end"])
    local = now.astimezone(zone)
    at = local.time()
    within = start <= at < end if start < end else at >= start or at < end
    if not within:
        return None
    day = local.date() + timedelta(days=1 if start > end and at >= start else 0)
    ends = (datetime.combine(day, end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((at for at in ends if at > now), None)

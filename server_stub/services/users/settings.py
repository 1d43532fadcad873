"""The rules of a user's preferences and profile: one's own, or those of others for who manages users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.resources.users import UserProfiles, UserSettings

from ...data import normalise
from ...data.document import Document
from ...data.merging import differences
from ...request.access import permissions
from ...serving import Context, Members, serves
from .preferences import check_hours, effective, first_preferences
from .records import PROFILE, USERS, is_own, own_or_managed


@serves(UserSettings.get)
def preferences(call: Context, user_id: str) -> dict[str, Any]:
    """Return the preferences of a user."""
    return effective(call, own_or_managed(call, user_id))


@serves(UserSettings.update)
def update_preferences(call: Context, user_id: str, changes: Members) -> dict[str, Any]:
    """Change the preferences of a user; null restores the default. What is in force already is not chosen by that."""
    user = own_or_managed(call, user_id)
    given = USERS.stored_form(call, changes, check=_checked_preferences)
    given["default_pipeline_id"] = call.resolve("pipeline", given.get("default_pipeline_id"), "default_pipeline_id")
    held: Mapping[str, Any] = user["preferences"] or {}
    cleared = {name: value for name, value in first_preferences(call).items() if changes.get(name, "") is None}
    chosen = {name: value for name, value in given.items() if changes.get(name) is not None}
    in_force = effective(call, user)
    if changes.get("business_hours") is not None:
        hours: dict[str, Any] = {**(in_force["business_hours"] or {}), **changes["business_hours"]}
        check_hours(hours, "business_hours")
        chosen["business_hours"] = hours
    new = {**held, **cleared, **differences(in_force, chosen)}
    changed = {"preferences": new, "timezone": new.get("timezone") or user["timezone"]}
    return effective(call, USERS.change(call, user, changed, verb="preferences_updated"))


def _checked_preferences(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    hours: Mapping[str, Any] = members.get("business_hours") or {}
    normalise.timezone(hours.get("timezone"), "business_hours.timezone")
    return {}


@serves(UserProfiles.get)
def profile(call: Context, user_id: str) -> dict[str, Any]:
    """Return the profile of a user, without phone numbers for who may not read users."""
    user = USERS.find_one(call, user_id)
    found = _profile_of(user)
    if not is_own(call, user) and not permissions.permits(call.caller, USERS.word, "read"):
        found |= {"phone": None, "mobile": None}
    return found


@serves(UserProfiles.update)
def update_profile(call: Context, user_id: str, changes: Members) -> dict[str, Any]:
    """Change the profile of a user, with the members that are the user's own."""
    user = own_or_managed(call, user_id)
    held: Mapping[str, Any] = user.get("profile") or {}
    given = USERS.stored_form(call, changes, check=_no_check)
    own = {name: value for name, value in given.items() if name in PROFILE}
    shared = {name: value for name, value in given.items() if name not in PROFILE}
    if "timezone" in shared:
        shared["timezone"] = shared["timezone"] or first_preferences(call)["timezone"]
        shared["preferences"] = {**(user["preferences"] or {}), "timezone": shared["timezone"]}
    if differences(held, own):
        shared["profile"] = {**held, **own}
    if differences(user, shared):
        shared["profile"] = {**held, **own, "updated_at": call.now}
        user = USERS.change(call, user, shared, verb="profile_updated")
    return _profile_of(user)


def _no_check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    return {}


def _profile_of(user: Document) -> dict[str, Any]:
    own: Mapping[str, Any] = user.get("profile") or {}
    shared = ("name", "title", "department", "phone", "timezone", "locale", "avatar", "manager_id")
    lists: dict[str, list[Any]] = {name: own.get(name) or [] for name in ("social_profiles", "skills")}
    return {
        "user_id": user["id"],
        **{name: user.get(name) for name in shared},
        **{name: own.get(name) for name in PROFILE},
        **lists,
        "updated_at": own.get("updated_at") or user["updated_at"],
    }

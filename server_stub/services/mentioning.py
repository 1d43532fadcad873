"""The users whom a text names."""

from __future__ import annotations

import re

from ..serving import Context

_MENTION = re.compile(r"(?<![\w.@])@(?:\[[^\]\n]*\]\((?P<id>[A-Za-z0-9_.-]+)\)|(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]*))")


def mentioned_users(call: Context, text: str) -> list[str]:
    """Return the ids of the users a text names, in its order (002, 0.7 and "Collaboration").

    A mention is ``@[name](id)``, ``@`` and an id, or ``@`` and the unique beginning of an address.
    """
    users = call.collection("user")
    found: dict[str, None] = {}
    for match in _MENTION.finditer(text):
        name = match["id"] or match["name"].rstrip("._+-")
        user = users.get(name)
        if user is None and match["id"] is None:
            same = [
                doc for doc in users.all() if (doc.get("email") or "").partition("@")[0].casefold() == name.casefold()
            ]
            user = same[0] if len(same) == 1 else None
        if user is not None:
            found[user["id"]] = None
    return list(found)

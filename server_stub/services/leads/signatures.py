"""Extract phone, title and company of the sender from the signature of an e-mail."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"^(>|On .{5,200} wrote:$|Am .{5,200} schrieb.*:$|El .{5,200} escribió:$|-{3,} ?Original)")
_GREETING = re.compile(
    r"^(best|kind|warm)?\s*(regards|wishes)|^(best|cheers|thanks|thank you|sincerely|yours)\b"
    r"|^(viele|beste|liebe|schöne|mit freundlichen)\s+grüße|^(un )?saludos?\b|^atentamente\b",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"\b(c[efimoprst]o|vp|chief \w+ officer|(vice )?president|founder|owner|partner|head of [\w &]+|director\b[\w &]*"
    r"|[\w &]*\bdirector|[\w &]*manager|[\w &]*engineer|[\w &]*lead|[\w &]*consultant|[\w &]*analyst|[\w &]*architect"
    r"|geschäftsführer\w*|\w*leiter(in)?|[\w &]*executive)\b",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"\b(inc|llc|ltd|limited|corp|corporation|gmbh|ag|kg|se|s\.?a\.?|s\.?l\.?|b\.?v\.?|plc|oy|ab|sp\. ?z ?o\.?o)\.?$",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*(?:,|\||·|•|–|—|\bat\b|@|\bbei\b)\s*")
_LONGEST_LINE, _MOST_LINES = 80, 8


def read_signature(body: str, country: str | None) -> dict[str, str]:
    """Return the found members ``phone``, ``title``, ``company``; phone numbers without prefix are of `country`."""
    lines = _signature(body)
    found: dict[str, str] = {}
    number = _phone("\n".join(lines), country)
    if number:
        found["phone"] = number
    for line in lines:
        parts = [part for part in _PARTS.split(line) if part]
        for index, part in enumerate(parts):
            if "title" not in found and _TITLE.search(part) and not _COMPANY.search(part):
                found["title"] = part
                # "CTO at Initech", "CTO, Initech": the company follows the title, unless it is a number.
                following = parts[index + 1] if index + 1 < len(parts) else ""
                if following and not any(mark.isdigit() for mark in following):
                    found.setdefault("company", following)
            elif "company" not in found and _COMPANY.search(part):
                found["company"] = part
    return found


def _signature(body: str) -> list[str]:
    """Return the short lines at the end of the new text of an e-mail, without the quoted one."""
    lines: list[str] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        if _QUOTED.match(line.strip()):
            break
        lines.append(line)
    # "-- " on a line of its own begins a signature (RFC 3676, section 4.3).
    starts = [n for n, line in enumerate(lines) if line.rstrip() == "--" or _GREETING.match(line.strip())]
    if not starts:
        return []
    tail = [line.strip() for line in lines[starts[-1] + 1 :] if line.strip()]
    return [line for line in tail[:_MOST_LINES] if len(line) <= _LONGEST_LINE]


def _phone(text: str, country: str | None) -> str | None:
    import phonenumbers  # imported here: it takes 20 ms, and only captured e-mails need it

    for match in phonenumbers.PhoneNumberMatcher(text, country):
        return phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
    return None

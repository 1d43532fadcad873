"""``crm contacts show``: a contact on one page, with its deals and what happened lately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...lookups import id_of
from ...settings import Options, settle
from ...terminal.columns import age
from ...terminal.limits import count
from ..drawing import count_of, heading, line, money, percent, print_row, sums, sums_text, title_of
from ..drawing import show as show_view
from ..parts import Parts
from ..zone import Zone, zone_of
from .activities import draw

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import Contact, ContactRelationship, Deal, TimelineEntry

_PAGE = 100
_HEALTH = {"high": "green", "medium": "yellow", "low": "red"}


def show(
    options: Options,
    contact: Annotated[str, typer.Argument(metavar="NAME|ID", help="Of a contact.")],
    limit: Annotated[
        int, typer.Option("--limit", metavar="INT", parser=count, help="So many entries of the timeline, or all.")
    ] = 10,
) -> None:
    """Show a contact on one page: the card, the deals, and what happened lately: `crm contacts show "Jane Doe"`.

    Days and times are in your time zone of the CRM. A part that the server does not have is left out.
    """
    settings = settle(options)
    parts = Parts()
    with open_client(settings) as client:
        id = id_of(client, "contacts", contact)
        found = client.contacts.get(id)
        deals = parts.read(lambda: list(client.contacts.deals.list(id)))
        related = parts.read(lambda: list(client.contacts.relationships.list(id)))
        entries = parts.read(
            lambda: [*islice(client.activities.timeline(contact_id=id, limit=min(limit, _PAGE)), limit)]
        )
        zone = zone_of(client) if settings.output == "table" else Zone()
    if deals is not None or related is not None or entries is not None:
        parts.say_missing()
    whole = {"contact": found, "deals": deals, "relationships": related, "timeline": entries}
    show_view(settings.output, whole, [found], lambda screen: _draw(screen, found, deals, related, entries, zone))


def _draw(
    screen: Console,
    contact: Contact,
    deals: Sequence[Deal] | None,
    related: Sequence[ContactRelationship] | None,
    entries: Sequence[TimelineEntry] | None,
    zone: Zone,
) -> None:
    for text in _card(contact, zone):
        screen.print(text)
    if related:
        said = ", ".join(f"{title_of(str(one.type)).lower()} {one.related_contact_id}" for one in related)
        screen.print(line(("related    ", "dim"), said))
    if deals is not None:
        screen.print()
        opened = [deal for deal in deals if deal.status == "open"]
        worth = f"{sums_text(sums((deal.value, deal.currency) for deal in opened))} open" if opened else ""
        screen.print(heading("Deals", "  ".join(part for part in (count_of(len(deals), "deal"), worth) if part)))
        for deal in deals:
            figures = f"{money(deal.value, deal.currency)}  {percent(deal.probability)}"
            print_row(screen, line("  ", (deal.title, "bold"), f"  {title_of(deal.stage)}  {figures}"), deal.id)
        if not deals:
            screen.print(line((f"  none yet: `crm deals create --title … --contact-id {contact.id}`", "dim")))
    if entries is not None:
        screen.print()
        screen.print(heading("Timeline", f"times in {zone.name}" if entries else ""))
        draw(screen, entries, zone)


def _card(contact: Contact, zone: Zone) -> Iterator[Text]:
    work = ", ".join(part for part in (contact.title, contact.company) if part)
    yield line((contact.name, "bold"), work, (contact.id, "dim"), between="  ")
    health = str(contact.relationship_health or "")
    last = contact.last_contact
    spoke = f"last contact {age(datetime.now(UTC) - last)} ago" if isinstance(last, datetime) else "no contact yet"
    health_line = line((f"health {health}", _HEALTH.get(health, "")) if health else None, spoke, between="  ")
    rows: tuple[tuple[str, str | Text | None], ...] = (
        ("e-mail", contact.email),
        ("phone", ", ".join(part for part in (contact.phone, contact.mobile) if part)),
        ("status", ", ".join(str(part) for part in (contact.status, contact.lifecycle_stage) if part)),
        ("owner", contact.owner_id),
        ("tags", ", ".join(contact.tags)),
        ("state", health_line),
        ("next", zone.text_of(contact.next_follow_up)),
        ("worth", money(contact.total_value, contact.currency) if contact.total_value else None),
        ("stop", "do not contact" if contact.do_not_contact else None),
    )
    for name, value in rows:
        if value:
            yield line((f"{name:<11}", "dim"), value)

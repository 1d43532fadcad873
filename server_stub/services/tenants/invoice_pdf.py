"""An invoice as a PDF of one page or more."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...serving import Members

if TYPE_CHECKING:
    from fpdf import FPDF

_WIDTHS = (100, 20, 30, 30)
_HEADER = ("Description", "Quantity", "Price", "Amount")


def write(tenant: Members, billing: Members, invoice: Members) -> bytes:
    """Return the PDF of an invoice."""
    from fpdf import FPDF  # imported here: only a PDF needs it, and it takes as long as half of the server
    from fpdf.enums import XPos, YPos

    pdf = FPDF()
    pdf.set_creation_date(invoice["updated_at"])
    pdf.set_title(invoice["number"])
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 16)
    pdf.cell(0, 12, _latin(f"Invoice {invoice['number']}"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font("Helvetica", size=10)
    for text in _address(tenant, billing):
        pdf.cell(0, 5, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(4)
    for text in (
        f"Period: {invoice['period_start']} to {invoice['period_end']}",
        f"Due: {invoice['due_date']}",
        f"Status: {invoice['status']}",
    ):
        pdf.cell(0, 5, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(6)
    pdf.set_font("Helvetica", "B", 10)
    _row(pdf, _HEADER)
    pdf.set_font("Helvetica", size=10)
    for line in invoice["lines"]:
        price, amount = (_money(line[name], invoice["currency"]) for name in ("unit_amount", "amount"))
        _row(pdf, (line["description"], str(line["quantity"]), price, amount))
    for name, label in (("subtotal", "Subtotal"), ("tax", "Tax"), ("total", "Total"), ("amount_due", "Amount due")):
        _row(pdf, ("", "", label, _money(invoice[name], invoice["currency"])), top=name == "subtotal")
    return bytes(pdf.output())


def _row(pdf: FPDF, cells: tuple[str, ...], *, top: bool = False) -> None:
    for number, (width, text) in enumerate(zip(_WIDTHS, cells, strict=True)):
        pdf.cell(width, 7, _latin(text), border="T" if top else 0, align="L" if number == 0 else "R")
    pdf.ln(7)


def _address(tenant: Members, billing: Members) -> list[str]:
    address: Members = billing.get("billing_address") or {}
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    lines = (billing.get("billing_name") or tenant["name"], address.get("street"), address.get("street2"), town)
    more = (address.get("state"), address.get("country"), billing.get("tax_id") and f"Tax id: {billing['tax_id']}")
    return [line for line in (*lines, *more) if line]


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _latin(text: str) -> str:
    """Return a text with what the built-in fonts of PDF have no sign for as a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")

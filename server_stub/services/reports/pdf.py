"""Reports as PDF: a table on numbered pages, and the chart above it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from ...serving import Members
from .lines import Head, Line, conditions_of, heads_of, lines_of

MOST_ROWS = 5_000
"""So many records a PDF has at most."""
_BARS = 12
"""So many groups are drawn."""
_LINE, _SIZE, _SMALLEST = 5.0, 9.0, 4.0
_GAP = 2.0
_SIZES: Mapping[str, tuple[float, float]] = {"A5": (148, 210)}
"""The pages, in millimetres, whose size fpdf has not always known."""
_BLUE, _GREY, _PALE = (46, 98, 160), (110, 110, 110), (238, 241, 246)


def write_pdf(
    report: Members,
    content: Members,
    parameters: Members,
    options: Mapping[str, Any],
    text_of: Callable[[Any], str],
) -> bytes:
    """Return a report as PDF. `text_of` makes the texts of values that are no numbers.

    The letters are those of Helvetica, of Western Europe: another one is drawn without its marks, or as ``?``.
    """
    from fpdf import FPDF  # imported here: only PDFs need it

    paper = options.get("paper", "A4")
    pdf = FPDF(orientation=options.get("orientation", "portrait"), format=_SIZES.get(paper, paper))
    pdf.set_creation_date(content["generated_at"])
    pdf.set_title(_letters(report["name"]))
    pdf.set_auto_page_break(False)
    page = _Pages(pdf, report, content, text_of)
    page.begin(parameters)
    if options.get("include_chart", True) and report["chart"] and report["format"] != "tabular":
        page.draw()
    page.table()
    page.number()
    return bytes(pdf.output())


class _Pages:
    def __init__(self, pdf: Any, report: Members, content: Members, text_of: Callable[[Any], str]) -> None:
        self._pdf = pdf
        self._report = report
        self._content = content
        self._text_of = text_of
        self._heads = heads_of(report, content)
        self._lines = list(lines_of(report, content))

    def begin(self, parameters: Members) -> None:
        """Begin the first page, with what the report is about."""
        pdf, content = self._pdf, self._content
        pdf.add_page()
        pdf.set_font("Helvetica", "B", 16)
        pdf.multi_cell(0, 8, _letters(self._report["name"]), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", _SIZE)
        pdf.set_text_color(*_GREY)
        said = [self._report["description"] or "", *map(" ".join, conditions_of(self._report, parameters))]
        cut = ", more were left out" if content["truncated"] else ""
        made = self._text_of(content["generated_at"])
        sums = f"; sums in {content['currency']}" if content["currency"] else ""
        said.append(f"{content['row_count']:,} records{cut}{sums}; made {made}")
        for line in filter(None, said):
            pdf.multi_cell(0, _LINE, _letters(line)[:1_000], new_x="LMARGIN", new_y="NEXT")
        pdf.set_text_color(0)
        pdf.ln(2)

    def draw(self) -> None:
        """Draw the first measure of the outermost groups: a line for a line or an area, else bars."""
        level = [line for line in self._lines if line.kind != "total" and line.level == 1][:_BARS]
        place = len(self._report["groups"] or ())
        rows = [(str(line.cells[0]), Decimal(str(value))) for line in level if _is_number(value := line.cells[place])]
        most = max((abs(value) for _, value in rows), default=Decimal())
        if not rows or not most:
            return
        chart = self._report["chart"]
        if chart.get("title"):
            self._pdf.set_font("Helvetica", "B", _SIZE + 1)
            self._pdf.cell(0, _LINE + 1, _letters(chart["title"]), new_x="LMARGIN", new_y="NEXT")
        self._pdf.set_font("Helvetica", "", _SIZE - 1)
        (self._line if chart["type"] in ("line", "area") and len(rows) > 1 else self._bars)(rows, most)
        self._pdf.ln(4)

    def _bars(self, rows: Sequence[tuple[str, Decimal]], most: Decimal) -> None:
        pdf = self._pdf
        label, longest = pdf.epw * 0.28, pdf.epw * 0.54
        for name, value in rows:
            pdf.cell(label, _LINE, self._fitting(name, label - _GAP), align="R")
            pdf.set_fill_color(*_BLUE)
            x, y, width = pdf.get_x() + _GAP, pdf.get_y(), float(abs(value) / most) * longest
            pdf.rect(x, y + 0.7, max(width, 0.2), _LINE - 1.4, style="F")
            pdf.set_xy(x + width + _GAP, y)
            pdf.cell(0, _LINE, _figure(value, ""), new_x="LMARGIN", new_y="NEXT")

    def _line(self, rows: Sequence[tuple[str, Decimal]], most: Decimal) -> None:
        pdf, height = self._pdf, 40.0
        left, top = pdf.l_margin, pdf.get_y() + 4
        step = pdf.epw / len(rows)
        points = [
            (left + step * (n + 0.5), top + height * (1 - max(float(v / most), 0.0))) for n, (_, v) in enumerate(rows)
        ]
        pdf.set_draw_color(*_BLUE)
        for (x1, y1), (x2, y2) in pairwise(points):
            pdf.line(x1, y1, x2, y2)
        pdf.set_draw_color(0)
        for (name, value), (x, y) in zip(rows, points, strict=True):
            for text, at in ((_figure(value, ""), y - _LINE + 1), (name, top + height + 1)):
                pdf.set_xy(x - step / 2, at)
                pdf.cell(step, _LINE - 1, self._fitting(text, step), align="C")
        pdf.set_xy(left, top + height + _LINE)

    # -- the table -------------------------------------------------------------------------------------------------

    def table(self) -> None:
        """Write the table; its head is on every page."""
        texts = [
            [self._text(cell, head) for cell, head in zip(line.cells, self._heads, strict=True)] for line in self._lines
        ]
        widths, size = self._widths(texts)
        self._head(widths, size)
        height = max(_LINE * size / _SIZE, 2.5)
        for line, cells in zip(self._lines, texts, strict=True):
            if self._pdf.get_y() + height > self._pdf.h - self._pdf.b_margin:
                self._pdf.add_page()
                self._head(widths, size)
            self._row(line, cells, widths, size, height)

    def _text(self, value: Any, head: Head) -> str:
        return _figure(value, head.format) if _is_number(value) else _letters(self._text_of(value))

    def _widths(self, texts: Sequence[Sequence[str]]) -> tuple[list[float], float]:
        """Return the widths of the columns, and the size of letters with which their figures fit."""
        pdf = self._pdf
        pdf.set_font("Helvetica", "B", _SIZE)
        columns = list(zip(*texts, strict=True)) if texts else [()] * len(self._heads)
        needed: list[float] = []
        for head, column in zip(self._heads, columns, strict=True):
            longest = max((pdf.get_string_width(text) for text in sorted(set(column), key=len)[-20:]), default=0.0)
            label = pdf.get_string_width(_letters(head.label))
            needed.append(
                max(longest, min(label, 30.0)) + _GAP
                if head.is_number
                else max(min(max(longest, label), 70.0), 8.0) + _GAP
            )
        whole = sum(needed)
        scale = pdf.epw / whole
        if scale >= 1:
            return ([width * min(scale, 1.6) for width in needed], _SIZE)
        size = max(_SIZE * scale, _SMALLEST)
        return [width * scale for width in needed], size

    def _head(self, widths: Sequence[float], size: float) -> None:
        pdf = self._pdf
        pdf.set_font("Helvetica", "B", size)
        pdf.set_fill_color(*_BLUE)
        pdf.set_text_color(255)
        for head, width in zip(self._heads, widths, strict=True):
            pdf.cell(
                width, _LINE + 1, self._fitting(head.label, width), align="R" if head.is_number else "L", fill=True
            )
        pdf.ln(_LINE + 1)
        pdf.set_text_color(0)

    def _row(self, line: Line, cells: Sequence[str], widths: Sequence[float], size: float, height: float) -> None:
        pdf = self._pdf
        pdf.set_font("Helvetica", "" if line.kind == "row" else "B", size)
        pdf.set_fill_color(*_PALE)
        for text, head, width in zip(cells, self._heads, widths, strict=True):
            shown = text if head.is_number else self._fitting(text, width)
            pdf.cell(width, height, shown, align="R" if head.is_number else "L", fill=line.kind != "row")
        pdf.ln(height)

    def _fitting(self, text: str, width: float) -> str:
        """Return a text as far as it fits into a width."""
        text = _letters(text)
        if self._pdf.get_string_width(text) <= width - 1:
            return text
        while text and self._pdf.get_string_width(f"{text}...") > width - 1:
            text = text[: max(len(text) - 1 - len(text) // 8, 0)]
        return f"{text}..." if text else ""

    def number(self) -> None:
        """Write the number of each page."""
        pdf = self._pdf
        for page in range(1, pdf.pages_count + 1):
            pdf.page = page
            pdf.set_font("Helvetica", "", 8)
            pdf.set_xy(pdf.l_margin, pdf.h - 10)
            pdf.cell(0, 5, f"{page} / {pdf.pages_count}", align="R")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _figure(value: Any, format: str) -> str:
    """Return a number with its thousands apart; an amount with its cents."""
    exact = Decimal(str(value))
    if format == "currency":
        return f"{exact:,.2f}"
    return f"{exact.normalize():,f}" if exact else "0"


def _letters(text: str) -> str:
    """Return a text in the letters of Western Europe."""
    try:
        text.encode("latin-1")
        return text
    except UnicodeEncodeError:
        marks = {"–": "-", "—": "-", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "€": "EUR", "•": "-"}
        plain = (
            letter if ord(letter) < 256 else marks.get(letter) or unicodedata.normalize("NFKD", letter)
            for letter in text
        )
        kept = "".join(letter for part in plain for letter in part if not unicodedata.combining(letter))
        return kept.encode("latin-1", "replace").decode("latin-1")

"""How the command that runs prints and asks."""

from __future__ import annotations

from ..settings import Options
from .pager import paging
from .prompts import asking
from .shape import Shape, shape


def begin(options: Options) -> None:
    """Let the command that runs print and ask as its options say."""
    shape.set(Shape(options.fields, options.jq, options.template))
    asking.set(not options.no_input)
    paging.set(not options.no_pager)

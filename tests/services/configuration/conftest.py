"""What the tests of configuration stand on: clients of two companies, and somebody new who has signed in."""

from __future__ import annotations

from newcomers import New, admin, new, other

__all__ = ["New", "admin", "new", "other"]

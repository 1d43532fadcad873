"""What a server says no with, for tests to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crm_sdk import ApiError


def refused(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value

"""What a sales person opens in the morning: the day, stale deals, the forecast, a contact, all trees."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from shell import Crm

from crm_cli import failures
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]

DAY = ("today", "--date", "2026-01-20")
VIEWS = (
    DAY,
    ("deals", "stale"),
    ("deals", "forecast", "--start-date", "2026-01-01", "--end-date", "2026-03-31"),
    ("deals", "board"),
    ("contacts", "show", "contact_123"),
    ("accounts", "tree"),
    ("pipelines", "show"),
)


@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_view_fits_its_screen_and_shows_ids_whole(
    words: tuple[str, ...], width: int, drawn: Callable[..., str]
) -> None:
    page = drawn(*words, width=width)
    assert page.strip() and "\x1b" not in page


@pytest.mark.parametrize("words", [DAY, ("deals", "stale"), ("contacts", "show", "contact_123")], ids=" ".join)
def test_ids_stand_whole_on_a_narrow_screen(words: tuple[str, ...], drawn: Callable[..., str], served: Crm) -> None:
    page, found = drawn(*words, width=40), served(*words).json
    ids = [deal["id"] for deal in found.get("deals", [])] + [task["id"] for task in found.get("tasks", [])][:10]
    assert ids and all(id in page for id in ids)


def test_the_day_has_what_is_due_by_its_end(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    platform = client.with_options(dialects="platform")
    titles = {"late": "2026-01-19T10:00:00Z", "due": "2026-01-20T15:00:00Z", "later": "2026-01-22T10:00:00Z"}
    made = {
        title: platform.activities.tasks.create({"title": f"Task {title}", "due_at": datetime.fromisoformat(due)}).id
        for title, due in titles.items()
    }
    day = served(*DAY).json
    found = {task["id"] for task in day["tasks"]}
    assert ({made["late"], made["due"]} <= found, made["later"] in found) == (True, False)
    assert day["unreadNotificationCount"] == served("notifications", "unread-count").json["count"]
    assert len(day["unreadConversations"]) == len(served("conversations", "list", "--filter", "unread", "--all").json)
    page = drawn(*DAY, "--all")
    assert all(title in page for title in ("Calendar", "Task late", "Task due", "Alerts", "Unread"))
    when = {title: next(line for line in page.splitlines() if f"Task {title}" in line) for title in ("late", "due")}
    assert re.search(r"☐ +19 Jan +Task late", when["late"]) and re.search(r"☐ +\d\d:00 +Task due", when["due"])
    platform.activities.update(made["due"], {"status": "completed"})
    assert made["due"] not in {task["id"] for task in served(*DAY).json["tasks"]}
    assert served("today", "--date", "someday").status == failures.USAGE


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (11, 10)])
def test_the_day_shows_the_first_ten_of_each_part(
    served: Crm, client: CrmClient, drawn: Callable[..., str], count: int, shown: int
) -> None:
    tasks = client.with_options(dialects="platform").activities.tasks
    there = len(served("today", "--date", "2025-06-02").json["tasks"])
    due = datetime(2025, 6, 2, 15, tzinfo=UTC)
    for number in range(count - there):
        tasks.create({"title": f"Task {number}", "due_at": due})
    assert there == 0 and len(served("today", "--date", "2025-06-02").json["tasks"]) == count
    page = drawn("today", "--date", "2025-06-02")
    assert sum("☐" in line for line in page.splitlines()) == shown
    assert ("+ 1 more: --all" in page) is (count > shown)
    assert sum("☐" in line for line in drawn("today", "--date", "2025-06-02", "--all").splitlines()) == count


def test_a_part_that_the_server_lacks_is_left_out(served: Crm) -> None:
    day = served(*DAY, "--dialect", "flow")
    assert (day.status, day.json["tasks"]) == (0, None)
    assert "note: activities.list is left out" in day.err


def test_stale_deals_are_open_and_sorted_by_how_long_nothing_was_done(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    made = client.deals.create({"title": "Quiet one", "value": 1, "stage": "proposal"})
    assert made.last_activity is not None
    days = (datetime.now(UTC) - made.last_activity).days
    found = served("deals", "stale", "--days", str(days)).json
    quiet = [deal["quietDays"] for deal in found["deals"]]
    assert quiet == sorted(quiet, reverse=True) and min(quiet) >= days
    assert made.id in {deal["id"] for deal in found["deals"]}
    assert not {deal["stage"] for deal in found["deals"]} & {"closed-won", "closed-lost"}
    assert found["count"] == len(quiet)
    later = served("deals", "stale", "--days", str(days + 1)).json
    assert made.id not in {deal["id"] for deal in later["deals"]}
    assert "no open deal is without activity" in drawn("deals", "stale", "--days", "99999")


def test_the_forecast_has_a_bar_for_each_month_with_its_categories(
    client: CrmClient, drawn: Callable[..., str]
) -> None:
    platform = client.with_options(dialects="platform")
    platform.deals.create(
        {"title": "Sure", "value": 9_000_000, "forecast_category": "commit", "expected_close_date": date(2026, 2, 3)}
    )
    page = drawn("deals", "forecast", "--start-date", "2026-01-01", "--end-date", "2026-03-31")
    february = next(line for line in page.splitlines() if line.startswith("2026-02"))
    assert february.count("▓") >= 35 and "USD" in february
    assert all(name in page for name in ("2026-01", "2026-03", "█ Closed", "▓ Commit", "▒ Best case", "░ Pipeline"))


def test_the_board_has_ids_and_keeps_currencies_apart(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    platform = client.with_options(dialects="platform")
    ids = [
        platform.deals.create({"title": "Zebra", "value": value, "currency": currency}).id
        for value, currency in ((10, "USD"), (7, "EUR"))
    ]
    board = served("deals", "board", "--search", "zebra").json
    assert board["total"]["values"] == {"USD": 10, "EUR": 7}
    for width in (40, 140):
        page = drawn("deals", "board", "--search", "zebra", width=width)
        assert all(told in page for told in (*ids, "10 USD", "7 EUR"))


def test_a_contact_is_shown_by_name_with_deals_and_timeline(served: Crm, drawn: Callable[..., str]) -> None:
    by_id = served("contacts", "show", "contact_123").json
    name = by_id["contact"]["name"]
    assert served("contacts", "show", name).json == by_id
    assert by_id["deals"] == served("contacts", "deals", "list", "contact_123").json
    page = drawn("contacts", "show", name)
    told = (
        name,
        by_id["contact"]["email"],
        "Deals",
        "Timeline",
        by_id["deals"][0]["id"],
        by_id["timeline"][0]["title"],
    )
    assert all(text in page for text in told)
    assert served("contacts", "show", "contact_nobody").status == failures.NOT_FOUND


def test_all_trees_have_every_account_once(served: Crm, drawn: Callable[..., str]) -> None:
    accounts = served("accounts", "list", "--all").json

    def every(nodes: list[dict[str, object]]) -> list[object]:
        return [id for node in nodes for id in (node["id"], *every(node["children"]))]  # type: ignore[arg-type] # JSON

    roots = served("accounts", "tree").json["roots"]
    assert sorted(map(str, every(roots))) == sorted(account["id"] for account in accounts)
    assert f"{len(accounts)} accounts" in drawn("accounts", "tree")
    assert {"stages", "automation"} <= served("pipelines", "show").json.keys()

"""How a write is merged into what is stored, and what of it is a change."""

from __future__ import annotations

from typing import Any

from crm_sdk.models.accounts import Account
from crm_sdk.models.contacts import Contact
from server_stub.data.merging import differences, free_members, list_members, merge_values


def test_the_members_of_a_model_that_are_free_and_that_are_lists() -> None:
    assert free_members(Account) == {"custom_fields"}
    assert "tags" in list_members(Contact) and "social_profiles" in list_members(Contact)
    assert not list_members(Contact) & {"name", "address", "custom_fields", "email"}


def test_an_object_is_merged_at_every_depth_and_anything_else_replaced() -> None:
    cases: list[Any] = [
        ("new", "old", "new"),
        (None, "old", None),
        ([1], [2, 3], [1]),
        ({"city": "B"}, {"city": "A", "zip": "1"}, {"city": "B", "zip": "1"}),
        ({"city": None}, {"city": "A", "zip": "1"}, {"zip": "1"}),
        ({"city": None}, {"city": "A"}, None),
        ({"city": None}, {"zip": "1"}, {"zip": "1"}),
        ({"city": "B"}, {"city": "A", "zip": None}, {"city": "B"}),
        ({"city": "B"}, None, {"city": "B"}),
        ({"city": "B"}, ["no object"], {"city": "B"}),
        ({}, None, None),
        ({"in": {"a": 1}}, {"in": {"b": 2}, "by": 3}, {"in": {"a": 1, "b": 2}, "by": 3}),
        ({"in": {"a": None}}, {"in": {"a": 1, "b": 2}}, {"in": {"b": 2}}),
        ({"in": {"a": 1}}, {"in": 5}, {"in": {"a": 1}}),
        ({"in": 5}, {"in": {"a": 1}}, {"in": 5}),
        (None, {"city": "A"}, None),
    ]
    for given, stored, merged in cases:
        assert merge_values({"part": given}, {"part": stored, "other": 1}) == {"part": merged}
        if stored is None:
            assert merge_values({"part": given}, {}) == merge_values({"part": given}, None) == {"part": merged}


def test_a_free_form_object_loses_its_keys_one_by_one_and_is_never_null() -> None:
    cases: list[Any] = [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"b": None}, {"b": 2}, {}),
        ({}, {"b": 2}, {"b": 2}),
        (None, {"b": 2}, {}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
    ]
    for given, stored, merged in cases:
        assert merge_values({"free": given}, {"free": stored}, ("free",)) == {"free": merged}


def test_what_is_the_same_is_no_change() -> None:
    cases: list[Any] = [
        (None, None), (None, []), (None, {}), ([], None), ({}, None), ([], {}), (1, 1), ("a", "a"), ([1, 2], [1, 2]),
        ({"a": 1, "b": None}, {"a": 1}), ({"a": 1}, {"a": 1, "b": None}), ([{"a": 1, "b": None}], [{"a": 1}]),
        ({"a": {"b": None, "c": [{"d": None}]}}, {"a": {"c": [{}]}}),
    ]  # fmt: skip
    for stored, value in cases:
        assert differences({"part": stored}, {"part": value}) == {}


def test_what_differs_is_a_change() -> None:
    cases: list[Any] = [
        (None, ""), ("", None), (None, 0), (0, None), (None, False), ([], [1]), ([1], []), ({"a": 1}, {}),
        ({}, {"a": 1}),
        ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), ({"a": 1}, {"b": 1}), ("a", "A"), ([], ""), ({"a": None}, [None]),
        ([None], [{}]), ([{"a": 1}], {"a": 1}),
    ]  # fmt: skip
    for stored, value in cases:
        assert differences({"part": stored, "other": 1}, {"part": value, "other": 1}) == {"part": value}


def test_a_member_that_is_not_stored_is_none() -> None:
    assert differences({}, {"a": None, "b": [], "c": 1}) == {"c": 1}

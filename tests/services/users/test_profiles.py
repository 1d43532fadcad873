"""Profiles, preferences and pictures: one's own, or those of others for who manages users."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import date
from functools import partial
from typing import Any

import pytest
from PIL import Image
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.wire import encode_json
from server_stub import StubServer
from server_stub.request.http import Request
from server_stub.services.users import avatars

from .conftest import New, deeds


def test_a_profile_is_also_the_users(stub: StubServer, mode: str, call: Any, new: New) -> None:
    one = new()
    token = one.crm.auth.login(one.user.email, "Correct-Horse-7!").access_token
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(
        api_key=token, dialects="platform", strict=True
    )  # fmt: skip
    changes: Any = {
        "name": "Mina Ortiz", "title": "SDR", "phone": "212 555 0143", "mobile": "+49 30 123456", "bio": "b" * 2_000,
        "timezone": "Asia/Tokyo", "locale": "ja", "skills": ["a", "b"], "start_date": date(2026, 1, 7),
        "social_profiles": [{"network": "github", "url": "https://github.com/mina"}],
    }  # fmt: skip
    made = call(crm.users.profile.update("me", changes))
    assert (made.user_id, made.name, made.phone, made.mobile) == (one.id, "Mina Ortiz", "+12125550143", "+4930123456")
    assert (made.skills, made.start_date, made.social_profiles[0].network) == (["a", "b"], date(2026, 1, 7), "github")
    user = call(crm.users.get("me"))
    assert (user.name, user.title, user.phone, user.timezone, user.locale) == (
        "Mina Ortiz", "SDR", "+12125550143", "Asia/Tokyo", "ja",
    )  # fmt: skip
    assert call(crm.users.preferences.get("me")).timezone == "Asia/Tokyo"
    assert call(crm.users.profile.update("me", {"bio": None})).bio is None
    assert call(crm.users.profile.get("me")).skills == ["a", "b"]
    assert call(crm.users.profile.update("me", {"skills": None})).skills == []
    assert deeds(stub, one.id).count("user.profile_updated") == 3


@pytest.mark.parametrize("path", ["profile", "preferences"])
def test_what_was_fetched_can_be_sent_back(stub: StubServer, admin: CrmClient, path: str) -> None:
    calls: Any = getattr(admin.users, path)
    fetched, before = calls.get("user_sam"), admin.users.get("user_sam").version
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    content = encode_json(fetched.model_dump(mode="json", by_alias=True))
    reply = stub.handle(Request("PUT", f"/v1/users/user_sam/{path}", "", headers, content))
    assert reply.status == 200, reply.body
    assert calls.get("user_sam") == fetched
    assert admin.users.get("user_sam").version in (before, (before or 0) + 1)  # hours of the company become one's own


def test_a_profile_is_for_everybody_and_phone_numbers_for_who_reads_users(
    stub: StubServer, admin: CrmClient, new: New
) -> None:
    admin.users.profile.update("user_sam", {"phone": "+12125550144"})
    one = new("team_lead")
    seen = one.crm.users.profile.get("user_sam")
    assert (seen.phone, seen.mobile) == ("+12125550144", "+12125550142")
    roles = stub.store.collection("tenant_acme", "role")
    held = roles.get("role_team_lead")
    assert held is not None
    roles.put(held | {"permissions": []})
    seen = one.crm.users.profile.get("user_sam")
    assert (seen.name, seen.bio is None, seen.phone, seen.mobile) == ("Sam Okonkwo", False, None, None)
    one.crm.users.profile.update("me", {"phone": "+12125550145"})
    assert one.crm.users.profile.get("me").phone == "+12125550145"
    for call in (one.crm.users.profile.update, one.crm.users.preferences.update):
        assert refused(partial(call, "user_sam", {})).code == "FORBIDDEN"
    assert refused(lambda: one.crm.users.preferences.get("user_sam")).code == "FORBIDDEN"
    assert refused(lambda: one.crm.users.avatar.upload("user_sam", picture())).code == "FORBIDDEN"
    assert refused(lambda: one.crm.users.profile.update("user_gina", {})).code == "NOT_FOUND"


def test_preferences_merge_and_null_restores_the_default(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new()
    calls = one.crm.users.preferences
    first = calls.get("me")
    assert (first.theme, first.notifications, first.language, first.time_format) == ("light", True, "en", "24h")
    assert (first.currency, first.calendar_view, first.week_start) == ("USD", "week", 0)
    assert first.business_hours is not None and len(first.business_hours.days) == 5  # the company's
    changed = calls.update("me", {"theme": "dark", "timezone": "Europe/Madrid", "default_pipeline_id": "pipeline_acme"})
    assert (changed.theme, changed.timezone, changed.time_format) == ("dark", "Europe/Madrid", "24h")
    user = admin.users.get(one.id)
    assert user.timezone == "Europe/Madrid" and user.preferences == changed
    assert calls.update("me", {"theme": None, "timezone": None}) == first.model_copy(
        update={"default_pipeline_id": "pipeline_acme"}
    )
    assert admin.users.preferences.update(one.id, {"theme": "system"}).theme == "system"
    assert calls.update("me", {"theme": "system"}).theme == "system"  # no difference
    assert deeds(stub, one.id).count("user.preferences_updated") == 3


def test_working_hours_are_ones_own_once_they_are_set(admin: CrmClient, new: New) -> None:
    calls = new().crm.users.preferences
    days: Any = [{"weekday": 0, "start": "09:00", "end": "12:00"}, {"weekday": 0, "start": "12:00", "end": "17:00"}]
    hours = calls.update("me", {"business_hours": {"days": days}}).business_hours
    assert hours is not None and (hours.timezone, len(hours.days)) == ("America/New_York", 2)
    backwards = calls.update("me", {"business_hours": {"days": days[::-1]}}).business_hours
    assert backwards is not None and calls.update("me", {"business_hours": {"days": days}}).business_hours == hours
    assert calls.update("me", {"business_hours": {}}).business_hours == hours
    hours = calls.update("me", {"business_hours": {"timezone": "UTC"}}).business_hours
    assert hours is not None and (hours.timezone, len(hours.days)) == ("UTC", 2)
    hours = calls.update("me", {"business_hours": None}).business_hours
    assert hours is not None and len(hours.days) == 5


def test_preferences_that_cannot_be(admin: CrmClient) -> None:
    def check(changes: dict[str, Any], field: str) -> None:
        hours: Any = changes.get("business_hours")
        if hours is not None and "days" in hours:
            hours["days"] = [
                span if isinstance(span, dict) else {"weekday": span[0], "start": span[1], "end": span[2]}
                for span in hours["days"]
            ]
        refusal = refused(lambda: admin.users.preferences.update("me", changes))  # type: ignore[arg-type] # each is wrong
        assert (refusal.status, refusal.fields[0].field) == (422, field)

    cases: list[tuple[dict[str, Any], str]] = [
        ({"language": "xx"}, "language"),
        ({"theme": "pink"}, "theme"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"currency": "JPY"}, "currency"),
        ({"default_pipeline_id": "pipeline_globex"}, "default_pipeline_id"),
        ({"business_hours": {"timezone": "Mars/Olympus"}}, "business_hours.timezone"),
        ({"business_hours": {"days": [(1, "17:00", "09:00")]}}, "business_hours.days.0.end"),
        ({"business_hours": {"days": [(1, "09:00", "09:00")]}}, "business_hours.days.0.end"),
        ({"business_hours": {"days": [(1, "09:00", "12:00"), (1, "11:59", "13:00")]}}, "business_hours.days.1.start"),
    ]
    for case in cases:
        check(*case)


# -- pictures ----------------------------------------------------------------------------------------------------------


def picture(width: int = 40, height: int = 20, kind: str = "PNG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), "red").save(out, kind)
    return out.getvalue()


def of_pixels(side: int) -> bytes:
    """A PNG of one bit a pixel, which is far smaller than what it decodes to."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\0" * (side // 8)) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def fetched(stub: StubServer, url: str | None) -> Image.Image:
    assert url is not None and url.startswith("http://stub.test/")
    reply = stub.handle(Request("GET", url.removeprefix("http://stub.test")))  # without signing in
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/png")
    return Image.open(io.BytesIO(reply.body))


def test_every_picture_becomes_a_square_png(stub: StubServer, new: New) -> None:
    one = new()
    for kind, mode in (
        ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("GIF", "P"),
    ):  # fmt: skip
        changed = one.crm.users.avatar.upload("me", ("me.bin", picture(1_000, 300, kind, mode)))
        with fetched(stub, changed.avatar) as found:
            shown = "RGBA" if mode in ("RGBA", "LA") else "RGB"
            assert (found.size, found.format, found.mode) == ((512, 512), "PNG", shown), (kind, mode)
        assert one.crm.users.profile.get("me").avatar == changed.avatar
        assert deeds(stub, one.id)[-1] == "user.avatar_changed"


def test_a_picture_is_upright_without_its_metadata_and_replaces_the_one_before(stub: StubServer, new: New) -> None:
    one = new()
    source = Image.new("RGB", (60, 30), "red")
    source.paste("blue", (0, 0, 30, 30))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where it was taken"  # rotated by a quarter
    out = io.BytesIO()
    source.save(out, "JPEG", exif=exif, quality=95)
    first = one.crm.users.avatar.upload("me", out.getvalue()).avatar
    with fetched(stub, first) as found:
        assert not found.getexif() and b"taken" not in found.tobytes()
        top, bottom = (found.convert("RGB").getpixel((256, y)) for y in (20, 490))
        assert isinstance(top, tuple) and isinstance(bottom, tuple)
        assert top[2] > 200 > bottom[2] and bottom[0] > 200 > top[0]  # blue above red
    second = one.crm.users.avatar.upload("me", picture()).avatar
    assert second != first and first is not None
    assert stub.handle(Request("GET", first.removeprefix("http://stub.test"))).status == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not a picture", "INVALID_IMAGE"),
        (picture()[:60], "INVALID_IMAGE"),
        (picture(kind="BMP"), "INVALID_IMAGE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "INVALID_IMAGE"),
        (of_pixels(20_000), "INVALID_IMAGE"),
        (b"\x89PNG" + bytes(5_000_000), "FILE_TOO_LARGE"),
    ],
    ids=["text", "half", "bmp", "svg", "400 megapixels", "5 MB"],
)
def test_what_is_no_picture_is_refused(stub: StubServer, admin: CrmClient, content: bytes, code: str) -> None:
    refusal = refused(lambda: admin.users.avatar.upload("me", content))
    assert (refusal.status, refusal.code) == (422, code)
    assert admin.users.get("me").avatar is None


@pytest.mark.parametrize(
    ("size", "code", "said"),
    [
        (5_000_000, "INVALID_IMAGE", "cannot identify image file"),
        (5_000_001, "FILE_TOO_LARGE", "a picture has at most 5 MB, not 5.0 MB"),
        (7_250_001, "FILE_TOO_LARGE", "a picture has at most 5 MB, not 7.3 MB"),
    ],
)
def test_a_picture_that_is_too_large_is_told_how_large_it_is(admin: CrmClient, size: int, code: str, said: str) -> None:
    refusal = refused(lambda: admin.users.avatar.upload("me", b"x" * size))
    assert (refusal.code, refusal.fields[0].field) == (code, "file") and said in refusal.message
    assert refusal.details.get("limit") == (5_000_000 if code == "FILE_TOO_LARGE" else None)


def test_a_picture_has_so_many_pixels_at_most(admin: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "_MOST_PIXELS", 800)
    assert admin.users.avatar.upload("me", picture(40, 20)).avatar
    refusal = refused(lambda: admin.users.avatar.upload("me", picture(89, 9)))
    assert (refusal.code, refusal.message) == ("INVALID_IMAGE", "the picture has more than 800 pixels")
    assert admin.users.avatar.upload("me", picture(799, 1)).avatar

"""Fields that the company or a role hides: no layout has them, whoever made it, and none is made with them."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient
from crm_sdk.models import Layout

from .conftest import New

HIDDEN = {"contact": "department", "deal": "tags", "account": "industry", "lead": "source", "activity": "description"}


def named(layouts: Any) -> set[str]:
    found: list[Layout] = list(layouts)
    assert found
    columns = {column.field for layout in found for column in layout.columns}
    return columns | {field.field for layout in found for section in layout.sections for field in section.fields}


def made(admin: CrmClient, entity: str, field: str, **more: Any) -> None:
    first = "title" if entity in ("deal", "activity") else "name"
    fields = [{"field": first}, {"field": field}]
    for kind, parts in (("list", {"columns": fields}), ("detail", {"sections": [{"fields": fields}]})):
        body: Any = {"entity": entity, "kind": kind, "name": "Ours", "audience": "tenant", **parts, **more}
        admin.customization.layouts.create(body)


@pytest.mark.parametrize(("entity", "field"), HIDDEN.items())
def test_what_a_role_hides_is_in_no_layout_of_its_users(admin: CrmClient, new: New, entity: str, field: str) -> None:
    words: Any = [("activities" if entity == "activity" else f"{entity}s", "read"), ("customization", "read")]
    body: Any = {
        "key": "blind", "name": "Blind", "permissions": [{"resource": word, "action": one} for word, one in words],
        "field_permissions": [{"entity": entity, "field": field, "access": "hidden"}],
    }  # fmt: skip
    admin.security.roles.create(body)
    made(admin, entity, field, is_default=True)
    _, crm = new("blind")
    for effective in (False, True):
        assert field not in named(crm.customization.layouts.list(entity=entity, effective=effective))
        assert field in named(admin.customization.layouts.list(entity=entity, effective=effective))
    own: Any = {"entity": entity, "kind": "list", "name": "Own", "columns": [{"field": field}]}
    with pytest.raises(ApiError) as caught:
        crm.customization.layouts.create(own)
    assert caught.value.code == "UNKNOWN_FIELD"


@pytest.mark.parametrize(("entity", "field"), [*HIDDEN.items(), ("contact", "custom_fields.size")])
def test_what_the_company_hides_is_in_no_layout(admin: CrmClient, entity: str, field: str) -> None:
    if field.startswith("custom_fields."):
        admin.customization.fields.create(entity, {"api_name": "size", "label": "Size", "type": "text"})
    made(admin, entity, field)
    for hidden in (True, False):
        admin.customization.fields.update(entity, field, {"hidden": hidden})
        assert (field in named(admin.customization.layouts.list(entity=entity))) is not hidden
        assert (field in named(admin.customization.layouts.list(entity=entity, effective=True))) is not hidden

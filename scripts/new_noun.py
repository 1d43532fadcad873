"""Write the skeleton of a service: ``make noun NAME=warehouses`` makes models, declaration, noun and test.

What is written works at once (five calls in SDK, CLI and stub); it is changed into what the service's document says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

MODELS = '''"""{Plural}: what they are, in a sentence."""

from __future__ import annotations

from typing import Annotated, Required

from pydantic import Field, with_config
from typing_extensions import TypedDict

from .record import Record
from .values import EMPTY, INPUT, Tags


class {Kind}(Record):
    """A {word}."""

    name: str
    owner_id: str | None = None
    """The user it belongs to."""
    tags: list[str] = Field(default_factory=EMPTY)
    """Each once, whatever its case."""


class _{Kind}Members(TypedDict, total=False):
    owner_id: str | None
    tags: Tags


@with_config(INPUT)
class {Kind}Create(_{Kind}Members, total=False):
    """A new {word}: a name is all it needs."""

    name: Required[Annotated[str, Field(min_length=1, max_length=200)]]


@with_config(INPUT)
class {Kind}Update(_{Kind}Members, total=False):
    """What to change about a {word}; null clears a member."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
'''

RESOURCE = '''"""{Plural}: what they are, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Listing
from ..paging import Page
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.{names} import {Kind}, {Kind}Create, {Kind}Update


class {Resource}(Resource[Mode]):
    """What {plural} are, in a sentence."""

    @operation(platform="POST /{path}", ours=True)
    def create(self, {name}: {Kind}Create) -> {Kind}:
        """Create a {word}.

        Raises: ValidationError.
        """

    @operation(platform="GET /{path}/{{{name}_id}}", ours=True)
    def get(self, {name}_id: str) -> {Kind}:
        """Fetch one {word}.

        Raises: NotFoundError.
        """

    @operation(platform="PUT /{path}/{{{name}_id}}", ours=True)
    def update(self, {name}_id: str, changes: {Kind}Update, *, version: int | None = None) -> {Kind}:
        """Change a {word}: members left out keep their values, null clears a member, lists are replaced.

        Raises: NotFoundError; ConflictError when `version` differs; ValidationError.
        """

    @operation(platform="DELETE /{path}/{{{name}_id}}", ours=True)
    def delete(self, {name}_id: str, *, version: int | None = None) -> None:
        """Delete a {word}.

        Raises: NotFoundError; ConflictError when `version` differs.
        """

    @paginated(platform="GET /{path}", ours=True)
    def list(
        self,
        *,
        owner_id: str | None = None,
        tags: Sequence[str] | None = None,
        sort: str | None = None,
        **common: Unpack[Listing],
    ) -> Page[{Kind}]:
        """List {plural}, newest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """
'''

SERVICE = '''"""The rules of {plural}."""

from __future__ import annotations

from crm_sdk.models.{names} import {Kind}
from crm_sdk.resources.{names} import {Resource}

from ..data.forms import required_text
from ..noun import Noun

{NOUN} = Noun(
    resource={Resource},
    kind="{name}",
    model={Kind},
    searched=("name", "tags"),
    sorts=("name",),
    forms={{"name": required_text("name")}},
    refers={{"owner_id": "user"}},
    defaults={{"owner_id": lambda call: call.caller.user_id}},
)
'''

TEST = '''"""The rules of {plural}, as a caller meets them; what all nouns have in common is in `test_nouns`."""

from __future__ import annotations

from server_stub import StubServer


def test_a_new_{name}_is_the_callers(stub: StubServer) -> None:
    client = stub.client()
    made = client.{names}.create({{"name": " First "}})
    assert made.name == "First"
    assert client.{names}.list(owner_id=made.owner_id).total == 1 if made.owner_id else made.version == 1
'''


def main(words: list[str]) -> int:
    """Write the four files; refuse a name that is taken or cannot be one."""
    names = words[0] if words else ""
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*s", names):
        print("make noun NAME=warehouses: a plural in lower case, words joined by _")
        return 2
    name = words[1] if len(words) > 1 else re.sub(r"ies$", "y", names) if names.endswith("ies") else names[:-1]
    kind = "".join(part.capitalize() for part in name.split("_"))
    said = {
        "names": names, "name": name, "Kind": kind, "NOUN": names.upper(), "path": names.replace("_", "-"),
        "Resource": "".join(part.capitalize() for part in names.split("_")), "word": name.replace("_", " "),
        "plural": names.replace("_", " "), "Plural": names.replace("_", " ").capitalize(),
    }  # fmt: skip
    files = {
        ROOT / "crm_sdk" / "models" / f"{names}.py": MODELS,
        ROOT / "crm_sdk" / "resources" / f"{names}.py": RESOURCE,
        ROOT / "server_stub" / "services" / f"{names}.py": SERVICE,
        ROOT / "tests" / "services" / f"test_{names}.py": TEST,
    }
    taken = [str(file.relative_to(ROOT)) for file in files if file.exists() or file.with_suffix("").is_dir()]
    if taken:
        print(f"there is already {', '.join(taken)}: nothing was written")
        return 1
    for file, text in files.items():
        file.write_text(text.format(**said))
        print(f"wrote {file.relative_to(ROOT)}")
    print("next: `make docs` lists them in the catalogue and the package, and writes the reference")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

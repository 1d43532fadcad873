"""The rule of what is made of files: pictures and documents in other sizes and formats."""

from __future__ import annotations

from contextlib import closing

from crm_sdk.resources.files import Files

from ...answers import Answer
from ...files.made import MADE_OF
from ...files.names import free_name
from ...files.pictures import processed_file
from ...files.received import Received
from ...files.storing import open_content, store
from ...serving import Context, Members, serves
from .access import require_unlocked
from .limits import require_room
from .records import FILES, in_folder, shown_file
from .uploads import add_version

_KEPT = ("folder", "related_to", "visibility", "description", "tags", "metadata", MADE_OF)


@serves(Files.process)
def process(call: Context, file_id: str, operation: str, options: Members | None, save_as: str, wait: bool) -> Answer:
    """Make a new file, or a new version, of a file by an operation."""
    file = FILES.writable(call, file_id) if save_as == "version" else FILES.find_one(call, file_id)
    require_unlocked(call, file)
    known = {"encoding": file.get("encoding")}
    with open_content(call, file) as content:
        made, extension = processed_file(content, file["content_type"], operation, {**(options or {}), **known})
    with closing(Received.of(file["name"], made)) as result:
        if save_as == "version":
            new, _ = add_version(call, file, result, operation, {}, verb="processed")
            return Answer(shown_file(call, new), 200)
        require_room(call, result.size)
        stem = file["name"].rpartition(".")[0] or file["name"]
        name = free_name(f"{stem[:240]}.{'jpg' if extension == 'jpeg' else extension}", in_folder(call, file["folder"]))
        stored = store(call, name, result, {member: file[member] for member in _KEPT if member in file})
    FILES.publish(call, "processed", stored, metadata={"processed_from": file["id"], "operation": operation})
    return Answer(shown_file(call, stored))

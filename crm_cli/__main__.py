"""``crm`` and ``python -m crm_cli``. Version, TAB and help are answered before anything is loaded."""

from __future__ import annotations

import sys

from .terminal.streams import READER_GONE, discard_output, prepare, read_arguments

_LEFT_OUT = ("httpx._main", "trio")
"""What httpx and httpcore import where it is there, a command line of their own and another loop, and nothing of ours
uses: half of the time that importing them takes."""


def main() -> int:
    """Run the command line with the arguments of the process; returns the exit status."""
    try:
        prepare()
        status = _run(read_arguments(sys.argv[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:  # before a command began, which sees to it itself
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        discard_output()
        return READER_GONE
    except OSError as error:
        discard_output()
        print(f"error: {error.strerror or error}", file=sys.stderr)
        return 2
    return status


def _run(arguments: list[str]) -> int:
    status = answered_at_once(arguments)
    if status is not None:
        return status
    import gc

    # Imports create many objects that stay: collecting garbage every 700 objects takes 5 % of the time of a command.
    gc.set_threshold(100_000, 20, 20)
    for name in _LEFT_OUT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # an import of it fails, as where it is missing
    return run(arguments)


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status: a plain call of the API at once, all else by the tree of commands."""
    from .tree import quick

    status = quick.run(arguments)
    if status is not None:
        return status
    from . import app

    return app.run(arguments)


def answered_at_once(arguments: list[str]) -> int | None:
    """Answer what needs none of the packages, and return the exit status; None where the tree of commands has to."""
    if arguments == ["--version"]:
        from crm_sdk._version import __version__

        print(f"crm {__version__}")
        return 0
    if arguments[:1] == ["__complete"]:
        from .completion import complete

        return complete(arguments[1:])
    if arguments[:1] == ["__remember"]:
        from .discovery.remembering import remember

        return remember(arguments[1:])
    from .front import door

    return door.answer(arguments)


if __name__ == "__main__":
    sys.exit(main())

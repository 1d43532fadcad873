"""``crm completion``: print the completion script of a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from ..settings import Options
from ..tree.near import refusal

_BASH = """\
_crm() {
    local IFS=$'\\n'
    COMPREPLY=($(crm __complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -F _crm crm
"""

_ZSH = """\
#compdef crm
_crm() {
    local -a answers
    answers=("${(@f)$(crm __complete zsh $((CURRENT - 1)) "${(@Q)words}" 2>/dev/null)}")
    if [[ -n "${answers[1]}" ]]; then _describe crm answers; else _files; fi
}
if [[ "${funcstack[1]}" == _crm ]]; then _crm "$@"; else compdef _crm crm; fi
"""

_FISH = """\
function __crm_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answers (crm __complete fish (count $words) $words "$current" 2>/dev/null)
    if test (count $answers) -eq 0
        __fish_complete_path "$current"
    else
        printf '%s\\n' $answers
    end
end
complete -c crm -f -a '(__crm_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(
    options: Options, shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")] = "bash"
) -> None:
    """Print the completion script of a shell.

    For bash and zsh: `eval "$(crm completion bash)"` in its start file; for fish: `crm completion fish | source`.
    """
    if shell not in _SCRIPTS:
        raise refusal(f"there is no completion for {shell!r}", shell, _SCRIPTS)
    typer.echo(_SCRIPTS[shell], nl=False)

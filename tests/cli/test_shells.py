"""Completion and the pager in real shells, driven by tmux as a person drives them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from patience import HANG
from screen import NEEDS_TMUX, Screen, program
from shell import ROOT

from crm_cli import completion
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]
pytestmark = [NEEDS_TMUX, pytest.mark.thorough]

INSTALL = {
    "bash": 'eval "$(crm completion bash)"',
    "zsh": 'autoload -Uz compinit && compinit -u -D && eval "$(crm completion zsh)"',
    "fish": "crm completion fish | source",
}
"""How the documentation says that completion is installed."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of a person with `crm` on the PATH and a server on a port."""
    folder = tmp_path_factory.mktemp("person")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_DATA_DIR", str(folder))
        completion.names()
    stub = StubServer()
    client = stub.client(dialects="platform")
    client.contacts.create({"name": "Zora O'Neil $5"})
    client.users.update("user_sam", {"name": "Sam Okonkwo"})
    with stub.serve() as port:
        yield {
            "CRM_DATA_DIR": str(folder),
            "CRM_BASE_URL": port.url,
            "CRM_API_KEY": "acme-admin",
            "CRM_COMPLETION_WAIT": str(HANG),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{program(folder / 'bin')}{os.pathsep}{os.environ['PATH']}",
        }


@pytest.mark.parametrize("shell", INSTALL)
def test_tab_completes_in_a_real_shell(shell: str, environment: dict[str, str]) -> None:
    with Screen(shell, environment) as screen:
        screen.run(f"{INSTALL[shell]}; echo inst''alled")
        screen.shows("installed")
        for typed, shown in (
            ("crm pipel", "crm pipelines"),
            ("crm deals move-s", "crm deals move-stage"),
            ("crm deals list --own", "crm deals list --owner-id"),
            ("crm deals list --stage neg", "crm deals list --stage negotiation"),
            ("crm deals list --owner-id user_s", "crm deals list --owner-id user_sam"),
            ("crm contacts get contact_12", "crm contacts get contact_123"),
        ):
            screen.type(typed)
            screen.press("Tab")
            screen.shows(shown)
            screen.press("C-u")  # Ctrl-C would drop what is typed before the shell has a new line
        screen.type("crm contacts get Zor")
        screen.press("Tab")
        screen.shows("Neil")
        screen.press("Enter")
        screen.shows("Zora O'Neil $5", times=1)
        screen.shows("doNotContact")


def test_a_long_list_has_a_pager_on_a_terminal_and_ctrl_c_ends_it(environment: dict[str, str]) -> None:
    if shutil.which("less") is None:
        pytest.skip("needs less, which is not installed here")
    with Screen("bash", environment, height=12) as screen:
        screen.run("crm leads list --limit 60 && echo en''ded")
        screen.shows("\n:")
        assert "ended" not in screen.text()
        screen.press("q")
        screen.shows("ended")
        screen.run("clear; crm leads list --limit 60 --no-pager && echo wh''ole")
        screen.shows("whole")
        screen.run("clear; crm leads list --limit 60 | tail -n 1; echo pi''ped")
        screen.shows("piped")

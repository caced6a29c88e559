"""What the four commands have in common: they explain themselves, and end with one sentence."""

from __future__ import annotations

import subprocess

import pytest

from support.commands import command
from support.templates import FOLDER

COMMANDS = ("deploy", "smoke", "tunnel", "destroy")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    done = command(name, "--help")
    assert done.returncode == 0
    assert "ENV" in done.stdout and len(done.stdout.splitlines()) > 10


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    done = command(name, "Prod/../x")
    assert done.returncode == 2
    assert "2 to 12 lower-case letters" in done.stderr


@pytest.mark.parametrize("name", ["smoke", "tunnel", "destroy"])
def test_what_is_not_there_is_one_sentence(cloudformation: None, name: str) -> None:
    done = command(name, "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no stack clickstream-nothing here.")
    assert len(done.stderr.splitlines()) == 1


def test_make_asks_for_the_installation() -> None:
    done = subprocess.run(
        ["make", "-s", "-o", ".venv/bin/clickstream", "deploy"], cwd=FOLDER.parent, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "make deploy ENV=prod" in done.stderr

"""A command on the machine, through Systems Manager."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra_cfn.commands import machine
from infra_cfn.commands.account import Trouble, client


def test_a_command_is_sent_and_its_answer_comes_back(moto: str) -> None:
    [made] = client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
    assert isinstance(machine.run(made["InstanceId"], "echo canary", what="asking"), str)
    [sent] = client("ssm").list_commands()["Commands"]
    assert (sent["DocumentName"], sent["Parameters"]["commands"]) == ("AWS-RunShellScript", ["echo canary"])
    assert sent["InstanceIds"] == [made["InstanceId"]]


class Agent:
    """Systems Manager, while a machine's agent is away for so many calls. No emulator knows a machine that starts."""

    def __init__(self, away: int) -> None:
        self.away = away

    def send_command(self, **asked: Any) -> dict[str, Any]:
        self.away -= 1
        if self.away >= 0:
            raise ClientError({"Error": {"Code": "InvalidInstanceId", "Message": ""}}, "SendCommand")
        return {"Command": {"CommandId": "1"}}

    def get_command_invocation(self, **asked: Any) -> dict[str, str]:
        return {"Status": "Success", "StandardOutputContent": "here"}


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Any:
    def leave(calls: int, patience: float) -> None:
        agent = Agent(calls)
        monkeypatch.setattr(machine, "client", lambda service: agent)
        monkeypatch.setattr(machine, "AGENT_SECONDS", patience)
        monkeypatch.setattr(machine, "POLL_SECONDS", 0.01)

    return leave


def test_a_machine_that_was_started_again_is_waited_for(away: Any) -> None:
    away(3, 60)
    assert machine.run("i-1", "true", what="asking") == "here"


def test_a_machine_that_does_not_come_back_is_told(away: Any) -> None:
    away(1_000_000, 0.05)
    with pytest.raises(Trouble, match="has not seen i-1"):
        machine.run("i-1", "true", what="asking")


def test_the_patience_is_longer_than_a_change_of_size_takes() -> None:
    assert machine.AGENT_SECONDS >= 300  # stop, start and boot of a small machine: two to three minutes

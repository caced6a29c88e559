"""A command on the machine, through Systems Manager."""

from __future__ import annotations

from infra_cfn.commands import machine
from infra_cfn.commands.account import client


def test_a_command_is_sent_and_its_answer_comes_back(moto: str) -> None:
    [made] = client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
    assert isinstance(machine.run(made["InstanceId"], "echo canary", what="asking"), str)
    [sent] = client("ssm").list_commands()["Commands"]
    assert (sent["DocumentName"], sent["Parameters"]["commands"]) == ("AWS-RunShellScript", ["echo canary"])
    assert sent["InstanceIds"] == [made["InstanceId"]]

"""A machine whose packages are old is told of: by each deployment, and by a mail to those who never deploy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra_cfn.commands import patching
from infra_cfn.commands.account import client
from support.templates import properties, text

NOW = datetime.now(UTC)


@pytest.fixture
def machine(moto: str) -> str:
    """Its id. What stands for EC2 dates its image as Amazon does."""
    image = client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    [made] = client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    return str(made["InstanceId"])


def made(machine: str) -> datetime:
    [instance] = client("ec2").describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"]
    [image] = client("ec2").describe_images(ImageIds=[instance["ImageId"]])["Images"]
    return datetime.fromisoformat(image["CreationDate"])


def test_a_machine_of_an_old_image_is_told_of_and_a_fresh_one_not(machine: str) -> None:
    assert patching.reminder(machine, made(machine) + timedelta(days=59)) == ""
    assert "the packages of 61 days ago" in patching.reminder(machine, made(machine) + timedelta(days=61))


def test_an_image_that_is_gone_counts_from_the_start_of_its_machine(machine: str) -> None:
    [instance] = client("ec2").describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"]
    client("ec2").deregister_image(ImageId=instance["ImageId"])
    assert patching.reminder(machine, NOW) == ""
    assert "the packages of 90 days ago" in patching.reminder(machine, instance["LaunchTime"] + timedelta(days=90))


def test_of_no_machine_nothing_is_told(moto: str) -> None:
    assert patching.reminder("absent", NOW) == patching.reminder("i-0123456789abcdef0", NOW) == ""


def test_a_mail_comes_every_second_month_and_says_what_to_do() -> None:
    rule = properties("monitoring", "PatchReminder")
    assert rule["ScheduleExpression"] == "cron(0 9 1 1/2 ? *)"
    [target] = rule["Targets"]
    assert target["Arn"] == {"Ref": "Alerts"}
    said = text(target["Input"])
    assert said.startswith('"') and said.endswith('"') and "\n" not in said  # EventBridge takes JSON only
    assert "make deploy ENV=prod ARGS=--new-machine" in said

"""How old the warehouse machine's packages are: those of the image that it was started with, and it takes no others by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from infra_cfn.commands.account import client

#: Amazon Linux brings out an image every week or two.
OLD = timedelta(days=60)


def reminder(machine: str, now: datetime) -> str:
    """What to tell of a machine whose image is old; empty of a fresh one, or of none."""
    ec2 = client("ec2")
    found = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [machine]}])["Reservations"]
    if not found:
        return ""
    [instance] = found[0]["Instances"]
    images = ec2.describe_images(
        Filters=[{"Name": "image-id", "Values": [instance["ImageId"]]}], IncludeDeprecated=True
    )
    # An image that Amazon has taken back has no date any more.
    dated = [datetime.fromisoformat(one["CreationDate"]) for one in images["Images"]]
    age = now - (dated[0] if dated else instance["LaunchTime"])
    if age < OLD:
        return ""
    return f"The machine has the packages of {age.days} days ago. A new one has today's, and keeps the disk:"

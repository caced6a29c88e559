"""`make destroy ENV=staging`: takes down what costs by the hour, and keeps the data unless told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from clickstream_dagster.cli.show import bar, console
from infra_cfn.commands import stacks
from infra_cfn.commands.account import (
    FIREWALL_REGION,
    Trouble,
    artifacts_stack,
    client,
    firewall_stack,
    parameter,
    root_stack,
)
from infra_cfn.commands.shell import environment_argument, run

EPILOG = """
\b
  make destroy ENV=staging                             machines, functions, API and network go; events, backups, disks
                                                       and customers stay, and make deploy brings the rest back
  make destroy ENV=staging ARGS=--and-the-data         all of it goes, for good; asks for the name to be typed
"""


@click.command("destroy", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@environment_argument
@click.option(
    "--and-the-data", is_flag=True, help="Also the raw events, backups, disks, snapshots, customers and secrets."
)
def destroy_command(environment: str, and_the_data: bool) -> None:
    """Take down the installation ENV."""
    stack = stacks.find(root_stack(environment))
    if stack is None and stacks.find(artifacts_stack(environment)) is None:
        raise stacks.missing(root_stack(environment))
    if stack is None or "RawBucket" not in stack.outputs:
        _clear_away(environment)
        return
    if not and_the_data:
        _stop(environment, stack)
        return
    _ask(environment, stack.outputs)
    everything(environment, stack)


def _clear_away(environment: str) -> None:
    """What a plan, or a first deployment that failed, has left: it holds no event, and would go on costing."""
    stacks.delete(root_stack(environment))
    _delete_what_is_beside(environment)
    console.print(f"{root_stack(environment)} had never come up; what there was of it is gone.")


def _stop(environment: str, stack: stacks.Stack) -> None:
    name = root_stack(environment)
    stacks.change(
        name,
        template={"UsePreviousTemplate": True},
        parameters={"Running": "no"},
        tags={"project": "clickstream", "environment": environment},
        keep=stack.parameters,
    )
    stacks.delete(firewall_stack(environment), FIREWALL_REGION)  # it costs by the month, and make deploy makes it again
    console.print(f"{name} is stopped. What stays, and costs its storage:")
    for output in ("RawBucket", "WarehouseBucket", "WarehouseVolume", "UserPool"):
        console.print(f"  {output:16} {stack.outputs.get(output, '–')}")
    console.print(f"Bring it back: make deploy ENV={environment}")


def _ask(environment: str, outputs: Mapping[str, str]) -> None:
    console.print(
        f"[bold red]For good:[/] every event in {outputs['RawBucket']}, the backups in {outputs['WarehouseBucket']},"
    )
    console.print(
        f"the disk {outputs['WarehouseVolume']} with its snapshots, and the customers of {outputs['UserPool']}."
    )
    typed = click.prompt("Type the name of the installation to destroy it", default="", show_default=False)
    if typed != environment:
        raise Trouble("That is not its name. Nothing was destroyed.")


def everything(environment: str, stack: stacks.Stack) -> None:
    """Remove an installation and all it ever stored. The root goes first, so that nothing writes any more; what a run that
    was cut short leaves is in the list that was shown before (docs/runbook.md, A destroy that was cut short)."""
    buckets = [stack.outputs["RawBucket"], stack.outputs["WarehouseBucket"]]
    kept = nested(stack, "Storage", "Auth")
    volumes = [one["VolumeId"] for one in _volumes(environment)]
    stacks.delete(root_stack(environment))
    for one in kept:
        stacks.delete(one)
    for bucket in buckets:
        empty(bucket)
        client("s3").delete_bucket(Bucket=bucket)
    client("cognito-idp").delete_user_pool(UserPoolId=stack.outputs["UserPool"])
    _delete_snapshots(environment, volumes)
    _delete_what_is_beside(environment)
    console.print(f"{root_stack(environment)} is gone, and its data.")


def _delete_what_is_beside(environment: str) -> None:
    """Secrets, releases, CloudFront's firewall."""
    _delete_parameters(environment)
    artifacts = stacks.find(artifacts_stack(environment))
    if artifacts:
        empty(artifacts.outputs["ArtifactsBucket"])
        stacks.delete(artifacts_stack(environment))
    stacks.delete(firewall_stack(environment), FIREWALL_REGION)


def nested(stack: stacks.Stack, *names: str) -> list[str]:
    """Ids of the stacks that it nests under these names. They are kept when it is deleted."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.stack_id)
    found = {
        one["LogicalResourceId"]: one.get("PhysicalResourceId")
        for page in pages
        for one in page["StackResourceSummaries"]
    }
    return [str(found[name]) for name in names if found.get(name)]


def empty(bucket: str) -> None:
    """Remove every version of every object."""
    with bar(f"emptying {bucket}") as shown:
        [task] = shown.task_ids
        for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if versions:
                named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
                refused = (
                    client("s3").delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True}).get("Errors")
                )
                if refused:
                    raise Trouble(f"{bucket}: {refused[0]['Key']} could not be removed, {refused[0]['Message']}")
                shown.update(task, advance=len(named))


def _volumes(environment: str) -> Iterator[dict[str, str]]:
    mine = [{"Name": "tag:clickstream-snapshots", "Values": [environment]}]
    for page in client("ec2").get_paginator("describe_volumes").paginate(Filters=mine):
        yield from page["Volumes"]


def _delete_snapshots(environment: str, volumes: list[str]) -> None:
    """Those of its disks, and of disks that were replaced before: daily snapshots have the tag of theirs."""
    wanted = [{"Name": "tag:clickstream-snapshots", "Values": [environment]}]
    if volumes:
        wanted.append({"Name": "volume-id", "Values": volumes})
    pages = client("ec2").get_paginator("describe_snapshots")
    found = {
        one["SnapshotId"]
        for taken in wanted
        for page in pages.paginate(OwnerIds=["self"], Filters=[taken])
        for one in page["Snapshots"]
    }
    for snapshot in sorted(found):
        client("ec2").delete_snapshot(SnapshotId=snapshot)


def _delete_parameters(environment: str) -> None:
    pages = (
        client("ssm").get_paginator("get_parameters_by_path").paginate(Path=parameter(environment, ""), Recursive=True)
    )
    names = [one["Name"] for page in pages for one in page["Parameters"]]
    for start in range(0, len(names), 10):
        client("ssm").delete_parameters(Names=names[start : start + 10])


if __name__ == "__main__":
    run(destroy_command)

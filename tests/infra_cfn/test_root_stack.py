"""The root stack for real, in an emulator: it nests the others, stops, comes back with the same data, and goes for good.

The shop's own database and pages stay off: their outputs are attributes of what the emulator does not know.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest

from infra_cfn.commands import destroy, keys, stacks, watching
from infra_cfn.commands.account import client
from support import emulator
from support.templates import FOLDER, emulable

NAME = "clickstream-prod"
TAGS = {"project": "clickstream", "environment": "prod"}
RUNNING = {"Storage", "Auth", "Network", "Ingest", "Warehouse", "Etl", "Monitoring"}


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the root stack is given; the release lies in a bucket of the emulator."""
    folder = tmp_path_factory.mktemp("emulator")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nothing.py", "")
    with emulator.running(folder, folder / "log") as aws, pytest.MonkeyPatch.context() as patch:
        for key, value in {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            patch.setenv(key, value)
        patch.setattr(watching, "POLL_SECONDS", 0.1)
        client.cache_clear()
        client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        files = {f"templates/{file.name}": emulable(file.name).encode() for file in FOLDER.glob("*.yaml")}
        files |= {f"{name}_lambda-arm64.zip": packed.getvalue() for name in ("ingest", "etl")}
        for name, content in files.items():
            client("s3").put_object(Bucket="artifacts", Key=f"releases/r/{name}", Body=content)
        yield {
            "Environment": "prod",
            "AvailabilityZone": "eu-central-1a",
            "ArtifactsBucket": "artifacts",
            "TemplatesUrl": f"{aws.url}/artifacts/releases/r/templates",
            "Release": "r",
            "ShopOrigins": "https://shop.example,https://www.shop.example",
            "AlertEmail": "you@shop.example",
        }
    client.cache_clear()


def bring(parameters: dict[str, str]) -> stacks.Stack:
    template: dict[str, str | bool] = {"TemplateURL": f"{parameters['TemplatesUrl']}/root.yaml"}
    stacks.change(NAME, template=template, parameters=parameters, tags=TAGS)
    return stacks.need(NAME)


def switch(**changed: str) -> stacks.Stack:
    """Change parameters without a change set: the emulator's sees no change where only a condition turns."""
    before = stacks.need(NAME)
    given = [
        {"ParameterKey": key, "ParameterValue": changed[key]}
        if key in changed
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in before.parameters
    ]
    since = watching.latest(before.stack_id, None)
    client("cloudformation").update_stack(
        StackName=NAME, UsePreviousTemplate=True, Parameters=given, Capabilities=["CAPABILITY_IAM"]
    )
    watching.follow(before.stack_id, 0, since, None)
    return stacks.need(NAME)


def nested() -> set[str]:
    listed = client("cloudformation").list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    return {one["LogicalResourceId"] for one in listed if not one["ResourceStatus"].startswith("DELETE")}


def test_it_comes_goes_and_comes_back_with_the_same_data(parameters: dict[str, str]) -> None:
    first = bring({**parameters, "CloudFront": "only", "OriginSecret": "secret"})
    assert nested() == RUNNING | {"Frontend"}
    assert first.outputs["CollectorUrl"].endswith(".cloudfront.net/clickstream")
    collector = client("lambda").get_function_configuration(FunctionName="clickstream-prod-ingest")
    told = collector["Environment"]["Variables"]
    assert told["CLICKSTREAM_ALLOWED_ORIGINS"] == parameters["ShopOrigins"]
    assert told["CLICKSTREAM_ORIGIN_SECRET_PARAMETER"] == "/clickstream/prod/ingest/origin_secret"
    client("s3").put_object(Bucket=first.outputs["RawBucket"], Key="events/2026/01/01/00/event-1.json", Body=b"{}")

    stopped = switch(Running="no")
    assert nested() == {"Storage", "Auth"}
    assert stopped.parameters["ShopOrigins"] == parameters["ShopOrigins"]
    assert "CollectorUrl" not in stopped.outputs

    again = switch(Running="yes", CloudFront="no")
    assert nested() == RUNNING
    assert ".execute-api." in again.outputs["CollectorUrl"]
    for name in ("RawBucket", "WarehouseBucket", "UserPool", "ShopClient"):
        assert again.outputs[name] == first.outputs[name]
    told = client("lambda").get_function_configuration(FunctionName="clickstream-prod-ingest")["Environment"][
        "Variables"
    ]
    assert "CLICKSTREAM_ORIGIN_SECRET_PARAMETER" not in told

    keys.ensure("prod", keys.HASH_SALT)
    destroy.everything("prod", again)
    assert stacks.find(NAME) is None
    assert [one["Name"] for one in client("s3").list_buckets()["Buckets"]] == ["artifacts"]
    assert client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"] == []
    assert client("ssm").get_parameters_by_path(Path="/clickstream/prod/", Recursive=True)["Parameters"] == []
    left = client("cloudformation").list_stacks()["StackSummaries"]
    assert [one["StackName"] for one in left if one["StackStatus"] != "DELETE_COMPLETE"] == []

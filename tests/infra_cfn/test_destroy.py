"""What goes, and what does not, when an installation is taken down."""

from __future__ import annotations

from infra_cfn.commands import destroy, keys, stacks
from infra_cfn.commands.account import client
from support.commands import command

TAGS = {"project": "clickstream"}


def test_a_bucket_is_emptied_of_every_version(moto: str) -> None:
    client("s3").create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client("s3").put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b"):
        client("s3").put_object(Bucket="raw", Key=key, Body=b"x")
    client("s3").delete_object(Bucket="raw", Key="b")
    destroy.empty("raw")
    client("s3").delete_bucket(Bucket="raw")
    assert client("s3").list_buckets()["Buckets"] == []


def test_only_this_installation_s_secrets_and_snapshots_go(moto: str) -> None:
    for environment in ("prod", "prod2"):
        keys.ensure(environment, keys.HASH_SALT)
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "clickstream-snapshots", "Value": environment}]}]
        made = client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=10, TagSpecifications=tags)
        client("ec2").create_snapshot(VolumeId=made["VolumeId"])
    mine = [one["VolumeId"] for one in destroy._volumes("prod")]
    # Of a disk that was replaced long ago: its daily snapshots have its tag.
    old = client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=10)["VolumeId"]
    copied = [{"ResourceType": "snapshot", "Tags": [{"Key": "clickstream-snapshots", "Value": "prod"}]}]
    client("ec2").create_snapshot(VolumeId=old, TagSpecifications=copied)
    destroy._delete_snapshots("prod", mine)
    destroy._delete_parameters("prod")
    both = [*mine, old, *(one["VolumeId"] for one in destroy._volumes("prod2"))]
    left = client("ec2").describe_snapshots(Filters=[{"Name": "volume-id", "Values": both}])["Snapshots"]
    assert [one["VolumeId"] for one in left] == both[2:]
    assert client("ssm").get_parameters_by_path(Path="/clickstream/prod/", Recursive=True)["Parameters"] == []
    assert client("ssm").get_parameter(Name="/clickstream/prod2/ingest/hash_salt")


def test_the_data_goes_only_with_the_name_typed(cloudformation: None) -> None:
    root = """
Resources: {RawBucket: {Type: "AWS::S3::Bucket"}}
Outputs:
""" + "".join(
        f"  {name}: {{Value: !Ref RawBucket}}\n"
        for name in ("RawBucket", "WarehouseBucket", "WarehouseVolume", "UserPool")
    )
    stacks.change("clickstream-kept", template={"TemplateBody": root}, parameters={}, tags=TAGS)
    done = command("destroy", "kept", "--and-the-data", typed="keptt\n")
    assert done.returncode == 1
    assert "For good" in done.stdout and done.stderr.strip() == "That is not its name. Nothing was destroyed."
    assert stacks.find("clickstream-kept")
    stacks.delete("clickstream-kept")

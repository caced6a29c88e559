"""A release: what `make package` built, the templates, and the files of the shop's own database, all in one place in S3."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from clickstream_dagster.cli.show import bar
from infra_cfn.commands import choices
from infra_cfn.commands.account import TEMPLATES, Trouble, client
from infra_cfn.packages.archive import digest, pack_tar
from infra_cfn.packages.sources import sources

DIST = TEMPLATES.parent / "dist" / "lambda"
OLTP_KEY = "releases/oltp.tar.gz"
#: How many can be gone back to. The bucket keeps what is deleted for ninety days more.
RELEASES_KEPT = 5


@dataclass(frozen=True)
class Release:
    """Built files for one processor. `files` are names in `folder` with their SHA-256."""

    name: str
    architecture: str
    folder: Path
    files: dict[str, str]

    def keys(self) -> dict[str, Path]:
        """Each key in the artifacts bucket, and its file."""
        return {f"releases/{self.name}/{self._key_name(name)}": self.folder / name for name in self.files}

    def _key_name(self, name: str) -> str:
        return name.replace(".zip", f"-{self.architecture}.zip")


def read(architecture: str, dist: Path = DIST) -> Release:
    """What was built last. Raises `Trouble` when nothing was, or a file is not the one that was built."""
    folder = dist / architecture
    try:
        said = json.loads((folder / "release.json").read_text())
    except FileNotFoundError:
        raise Trouble(
            f"Nothing is built for {architecture}. Build it first: make package ARGS={architecture}"
        ) from None
    if said.get("sources") != sources():
        raise Trouble(f"The code has changed since it was packed. Pack it again: make package ARGS={architecture}")
    release = Release(said["release"], architecture, folder, said["files"])
    for name, wanted in release.files.items():
        file = folder / name
        if not file.exists() or digest(file) != wanted:
            raise Trouble(f"{file} is not what release.json says. Build it again: make package ARGS={architecture}")
    return release


def upload(release: Release, bucket: str) -> None:
    """Put a release into the bucket. A package that is there with the same content is not sent again."""
    small = {
        f"releases/{release.name}/templates/{file.name}": file.read_bytes() for file in sorted(TEMPLATES.glob("*.yaml"))
    }
    small[OLTP_KEY] = oltp_archive()
    for key, content in small.items():
        client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    for key, file in release.keys().items():
        wanted = release.files[file.name]
        if _digest_of(bucket, key) != wanted:
            with bar(f"uploading {file.name}", file.stat().st_size) as shown:
                [task] = shown.task_ids
                client("s3").upload_file(
                    str(file),
                    bucket,
                    key,
                    ExtraArgs={"Metadata": {"sha256": wanted}},
                    Callback=lambda sent, shown=shown, task=task: shown.advance(task, sent),
                )


def templates_url(release: str, bucket: str) -> str:
    """Where CloudFormation reads the nested templates of the release of that name."""
    return f"{client('s3').meta.endpoint_url}/{bucket}/releases/{release}/templates"


def stored(bucket: str) -> list[str]:
    """The releases that lie in the bucket, the one that was deployed last at the end."""
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="releases/")
    found = {
        one["Key"].split("/")[1]: one["LastModified"]
        for page in pages
        for one in page.get("Contents", [])
        if one["Key"].endswith("/templates/root.yaml")
    }
    return sorted(found, key=lambda name: found[name])


def prune(bucket: str, in_use: str) -> list[str]:
    """Delete all but the last `RELEASES_KEPT` and the one that is in use; the names of those that went. Each is some 150 MB."""
    gone = [name for name in stored(bucket)[:-RELEASES_KEPT] if name != in_use]
    for name in gone:
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"releases/{name}/")
        for page in pages:
            held = [{"Key": one["Key"]} for one in page.get("Contents", [])]
            client("s3").delete_objects(Bucket=bucket, Delete={"Objects": held, "Quiet": True})
    return gone


def check(release: str, architecture: str, bucket: str) -> None:
    """Raises `Trouble` where the bucket does not hold all of that release for the processor; it names those that it holds."""
    wanted = [f"releases/{release}/{name}" for name in ("templates/root.yaml", "instance.tar.gz")]
    wanted += [f"releases/{release}/{name}_lambda-{architecture}.zip" for name in ("ingest", "etl")]
    if missing := [key for key in wanted if _digest_of(bucket, key) is None]:
        held = ", ".join(stored(bucket)) or "none yet"
        raise Trouble(f"Release {release} is not in {bucket}: {missing[0]} is missing. There are: {held}.")


def root_parameters(release: str, bucket: str) -> frozenset[str]:
    """The names of the parameters of that release's root.yaml."""
    template = client("s3").get_object(Bucket=bucket, Key=f"releases/{release}/templates/root.yaml")["Body"].read()
    return frozenset(choices.parameters_of(template.decode()))


def oltp_archive() -> bytes:
    """The files of the shop's own database; the same files give the same bytes."""
    packed = io.BytesIO()
    pack_tar({file.name: file for file in (TEMPLATES / "oltp").iterdir()}, packed)
    return packed.getvalue()


def _digest_of(bucket: str, key: str) -> str | None:
    try:
        return str(client("s3").head_object(Bucket=bucket, Key=key)["Metadata"].get("sha256"))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise

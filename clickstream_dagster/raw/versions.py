"""The older versions of a bucket's objects, which outlive the objects themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from obstore.store import ObjectStore, S3Store

#: S3 takes no more in a request.
_AT_ONCE = 1_000
#: Packs and the lake's objects are called by hashes: all versions under such a beginning of a key are of one hour.
_HASHED = ("/packed-", "/part-")


class VersionsStay(RuntimeError):
    """They could not be removed; the message says what to do."""


def remove_older(store: ObjectStore, keys: Iterable[str]) -> None:
    """Remove every version of these objects, and of the packs beside them, but the one that stands, and all of those that were
    deleted. A key that ends before its hash stands for all that begin so. A store that is no bucket has none. Raises
    `VersionsStay`."""
    if not isinstance(store, S3Store):
        return
    import boto3  # obstore knows no versions
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, prefix = store.config["bucket"], f"{store.prefix}/" if store.prefix else ""
    client = boto3.client("s3", region_name=store.config.get("region"))
    wanted = sorted(keys)
    packs = sorted({key.rpartition("/")[0] + "/packed-" for key in wanted})
    try:
        for key in (*wanted, *packs):
            if gone := list(_older(client, bucket, prefix + key)):
                _delete(client, bucket, gone)
    except (BotoCoreError, ClientError) as error:
        raise _stay(error) from error


def _stay(error: object) -> VersionsStay:
    return VersionsStay(
        f"The older versions of erased objects could not be removed ({error}). Whoever erases needs "
        "s3:ListBucketVersions and s3:DeleteObjectVersion on the raw bucket (docs/security.md). Run the same command again."
    )


def _delete(client: Any, bucket: str, gone: list[dict[str, str]]) -> None:
    for first in range(0, len(gone), _AT_ONCE):
        told = client.delete_objects(Bucket=bucket, Delete={"Objects": gone[first : first + _AT_ONCE], "Quiet": True})
        for error in told.get("Errors", []):  # the answer is a 200 all the same
            raise _stay(f"{error['Code']}: {error['Key']}")


def _older(client: Any, bucket: str, key: str) -> Iterator[dict[str, str]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        versions = [one for one in page.get("Versions", []) if not one["IsLatest"]]
        for one in (*versions, *page.get("DeleteMarkers", [])):
            if one["Key"] == key or key.endswith(_HASHED):
                yield {"Key": one["Key"], "VersionId": one["VersionId"]}

"""What stands for AWS on this machine takes any keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from obstore.store import S3Store

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def client(url: str, service: str, region: str = REGION) -> Any:
    """A client of a service at that address."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a running moto. Those of one process share what they hold, so each bucket needs a name of its own."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@contextmanager
def versioned_bucket(name: str, patch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A new bucket that keeps versions, which the environment names the way to; a client of it."""
    with moto_server() as url:
        for variable, value in {**KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION}.items():
            patch.setenv(variable, value)
        made = client(url, "s3")
        made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        made.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield made


@contextmanager
def moto_bucket(name: str) -> Iterator[S3Store]:
    """A new bucket of a running moto."""
    with moto_server() as url:
        client(url, "s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield S3Store(
            name,
            endpoint=url,
            region=REGION,
            client_options={"allow_http": True},
            access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

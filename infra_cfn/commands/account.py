"""One AWS account in one region, as the usual AWS_* variables or a profile name it, and the names of what is ours in it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

TEMPLATES = Path(__file__).resolve().parent.parent
#: CloudFront takes its firewall from here, wherever the rest is.
FIREWALL_REGION = "us-east-1"


class Trouble(RuntimeError):
    """What a command cannot go on from; the message says what happened and what to do."""


@cache
def client(service: str, region_name: str | None = None) -> Any:
    """A client of an AWS service, with retries for the throttling that polling meets."""
    patience = Config(retries={"mode": "standard", "max_attempts": 6})
    return boto3.client(service, region_name=region_name or region(), config=patience)


def region() -> str:
    """The region that is worked in. boto3 alone would not read AWS_REGION, which everything else does."""
    name = os.environ.get("AWS_REGION") or boto3.session.Session().region_name
    if not name:
        raise Trouble(
            "No region is chosen. The installation's file names it, such as Region: eu-central-1; without one, AWS_REGION does."
        )
    return str(name)


def account() -> str:
    """The number of the account that is worked in."""
    return str(client("sts").get_caller_identity()["Account"])


def root_stack(environment: str) -> str:
    """The stack that nests all others."""
    return f"clickstream-{environment}"


def artifacts_stack(environment: str) -> str:
    """The stack of the bucket that releases are deployed from."""
    return f"clickstream-{environment}-artifacts"


def firewall_stack(environment: str) -> str:
    """The stack of CloudFront's firewall, in `FIREWALL_REGION`."""
    return f"clickstream-{environment}-waf"


def parameter(environment: str, name: str) -> str:
    """A name in Parameter Store."""
    return f"/clickstream/{environment}/{name}"

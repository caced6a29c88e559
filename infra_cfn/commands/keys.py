"""Secrets that are made once, at the first deployment, and are kept in Parameter Store alone."""

from __future__ import annotations

import secrets

from botocore.exceptions import ClientError

from infra_cfn.commands.account import client, parameter

HASH_SALT = "ingest/hash_salt"
ORIGIN_SECRET = "ingest/origin_secret"  # noqa: S105 - its name
SESSION_SECRET = "shop/session_secret"  # noqa: S105 - its name


def ensure(environment: str, name: str) -> str:
    """The secret of that name, made if there is none. It is never made anew: ids that were hashed with the old salt would
    belong to nobody."""
    key = parameter(environment, name)
    try:
        client("ssm").put_parameter(Name=key, Value=secrets.token_urlsafe(36), Type="SecureString", Overwrite=False)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterAlreadyExists":
            raise
    return str(client("ssm").get_parameter(Name=key, WithDecryption=True)["Parameter"]["Value"])

"""`make smoke ENV=prod`: does an event get from the API into the warehouse?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import click
from botocore.config import Config

from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.partitions import floor_hour
from infra_cfn.commands import machine, stacks
from infra_cfn.commands.account import Trouble, client, region, root_stack
from infra_cfn.commands.shell import environment_argument, run
from ingest_lambda import canary as visits
from ingest_lambda.canary import Canary, post
from ingest_lambda.landing import hour_prefix

STORED_SECONDS = 20

EPILOG = """
\b
Four steps, and it says at which one it stopped:
  1. the API takes a test visit of five events      (the collector)
  2. its object lies in the raw bucket              (storage)
  3. the tick loads the hour                        (the ETL function, invoked as EventBridge does)
  4. the rows are in the warehouse                  (PostgreSQL, asked on the machine through Systems Manager)
The loader sets a test visit aside by its id, so no number of the shop changes. `Canary: yes` sends one each hour.
"""


@click.command("smoke", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@environment_argument
def smoke_command(environment: str) -> None:
    """Send a canary through the installation ENV and wait for it in the warehouse."""
    stack = stacks.need(root_stack(environment))
    if stack.parameters.get("Running") == "no":
        raise Trouble(f"{root_stack(environment)} is not running. Bring it back: make deploy ENV={environment}")
    origin = stack.parameters["ShopOrigins"].split(",")[0]
    began = datetime.now(UTC)
    canary = visits.new(began)
    collected(stack.outputs["CollectorUrl"], canary, origin)
    _done(1, "the API took it", began)
    hour = stored(stack.outputs["RawBucket"], canary, began)
    _done(2, "its object is in the raw bucket", began)
    loaded(stack.outputs["EtlFunction"], hour)
    _done(3, "the tick loaded its hour", began)
    arrived(stack.outputs["WarehouseMachine"], canary)
    _done(4, "its rows are in the warehouse", began)


def collected(url: str, canary: Canary, origin: str) -> None:
    """The collector answers 200 for all of it, or `Trouble` says what it answered."""
    try:
        status, body = post(url, canary, origin)
    except OSError as error:
        raise Trouble(f"Step 1, the API: {url} does not answer ({error}).") from None
    accepted = _json(body).get("accepted")
    if status != 200 or accepted != len(canary.steps):
        raise Trouble(f"Step 1, the API: {url} answered {status}, {body[:300]}. See docs/runbook.md, ApiServerErrors.")


def stored(bucket: str, canary: Canary, began: datetime) -> datetime:
    """Find the canary's object; the hour that it lies in. A 200 is given after it is stored, so it is there at once."""
    deadline = time.monotonic() + STORED_SECONDS
    while True:
        for hour in sorted({floor_hour(began), floor_hour(datetime.now(UTC))}):
            if _holds(bucket, hour_prefix(hour), canary, began):
                return hour
        if time.monotonic() > deadline:
            raise Trouble(f"Step 2, storage: no object with the canary in {bucket}, although the API said 200.")
        time.sleep(1)


def loaded(function: str, hour: datetime) -> None:
    """Invoke the tick for that hour and wait for its answer."""
    # A tick may take its 15 minutes, and must not be sent twice meanwhile.
    patient = boto3.client(
        "lambda", region_name=region(), config=Config(read_timeout=910, retries={"total_max_attempts": 1})
    )
    with bar("the tick loads the hour"):
        answer = patient.invoke(FunctionName=function, Payload=json.dumps({"targetUtcHour": hour.isoformat()}).encode())
    said = answer["Payload"].read().decode(errors="replace")
    if answer.get("FunctionError"):
        raise Trouble(
            f"Step 3, the tick: {_json(said).get('errorMessage', said)[:600]} See docs/runbook.md, EtlErrors."
        )


def arrived(instance: str, canary: Canary) -> None:
    """Ask PostgreSQL on its machine for the canary's events."""
    command = f'runuser -u postgres -- psql -X -At -d clickstream_dw -c "{question(canary)}"'
    found = machine.run(instance, command, what="asking the warehouse", timeout=120).strip()
    if found != str(len(canary.steps)):
        raise Trouble(
            f"Step 4, the warehouse: {found or 'no'} of {len(canary.steps)} events of {canary.name} are there."
        )


def question(canary: Canary) -> str:
    """The query that counts the canary's events."""
    said = ", ".join(f"'{visits.message(canary.name, step)}'" for step in canary.steps)
    return f"select count(*) from rejected_events where code = '{visits.CODE}' and message in ({said})"  # noqa: S608 - ours


def _holds(bucket: str, prefix: str, canary: Canary, since: datetime) -> bool:
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    recent = since - timedelta(seconds=60)  # this computer's clock may be off
    keys = [one["Key"] for page in pages for one in page.get("Contents", []) if one["LastModified"] >= recent]
    return any(canary.name.encode() in client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)


def _json(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _done(step: int, what: str, began: datetime) -> None:
    console.print(f"  {step}. {what} ({(datetime.now(UTC) - began).total_seconds():.1f} s)")


if __name__ == "__main__":
    run(smoke_command)

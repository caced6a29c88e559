"""What the commands have in common at the edges: the environment's name, and errors as one sentence with the next step."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

import click
from botocore.exceptions import BotoCoreError, ClientError

from clickstream_dagster.cli.show import harmless
from infra_cfn.commands import choices
from infra_cfn.commands.account import Trouble

_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")


def _environment(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise click.BadParameter("2 to 12 lower-case letters and digits, a letter first, such as prod or staging")
    if named := choices.region_of(value):
        os.environ["AWS_REGION"] = named
    return value


environment_argument = click.argument("environment", metavar="ENV", callback=_environment)


def run(command: Callable[..., object]) -> None:
    """Run a command; what AWS or we refuse ends with a sentence, a defect of ours with its traceback."""
    try:
        command()
    except Trouble as trouble:
        _end(str(trouble))
    except ClientError as error:
        said = error.response.get("Error", {})
        advice = "Who you are to AWS: aws sts get-caller-identity. What you must be allowed to do: docs/deploy.md."
        _end(f"AWS refused {error.operation_name}: {said.get('Code')}, {said.get('Message')} {advice}")
    except BotoCoreError as error:
        _end(f"AWS was not reached: {error}. Check your credentials (aws sts get-caller-identity) and the region.")


def _end(told: str) -> None:
    click.echo(harmless(told), err=True)
    sys.exit(1)

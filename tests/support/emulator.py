"""AWS on this machine: ministack, in a virtual environment of its own (its pins are not ours), under the Python that the
packages are compiled for, since it runs a function in a process of its own interpreter.

What it lacks is left out by one rule: a resource whose type it does not know goes, and whatever refers to it goes too.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra_cfn.packages.bytecode import interpreter
from infra_cfn.packages.contents import ROOT
from support.alone import alone
from support.aws import KEYS, REGION, client
from support.lambdas import MACHINE

VENV = ROOT / ".venv-emulator"
#: boto3 for the functions, as Lambda's runtime has it; of the emulator's own botocore.
PINS = ("ministack==1.5.33", "boto3==1.43.106")
#: The functions' file system is the emulator's: /var/task must be the package that reads a file there by that path.
_START = """
mount -t tmpfs -o mode=755 tmpfs /var
mkdir -p /var/task && mount --bind "$TASK" /var/task && exec "$PYTHON" -m ministack
"""


@dataclass(frozen=True)
class Emulator:
    """A running one."""

    url: str
    log: Path

    def client(self, service: str, region: str = REGION) -> Any:
        return client(self.url, service, region)

    def deploy(self, name: str, template: dict[str, Any], **parameters: str) -> dict[str, str]:
        """Create a stack; its outputs."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        for _ in range(300):
            [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.2)
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            (event["LogicalResourceId"], event.get("ResourceStatusReason"))
            for event in events
            if "FAILED" in event["ResourceStatus"]
        ]
        assert stack["StackStatus"] == "CREATE_COMPLETE", failed or stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def post(self, api: str, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST to an HTTP API, by its host name as on AWS."""
        port = self.url.rpartition(":")[2]
        host = {"Host": f"{api}.execute-api.localhost:{port}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, {**host, **headers}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")


@contextmanager
def running(task: Path, log: Path) -> Iterator[Emulator]:
    """Start it, wait until it answers, stop it."""
    assert os.geteuid() == 0, "the emulator's /var/task is a mount: run the tests as root"
    with alone("emulator"):
        python = _installed()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("AWS_", "CLICKSTREAM_", "DW_", "DAGSTER_"))
        },
        "GATEWAY_PORT": str(port),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
        **KEYS,
        "TASK": str(task),
        "PYTHON": str(python),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _START],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    emulator = Emulator(f"http://127.0.0.1:{port}", log)
    try:
        _wait(emulator, process)
        yield emulator
    finally:
        process.terminate()
        process.wait(30)


def _installed() -> Path:
    """Its interpreter. Made once, again when the pins change."""
    stamp = VENV / "pins.txt"
    wanted = "\n".join((MACHINE.python, *PINS))
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([interpreter(MACHINE.python), "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *PINS], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        stamp.write_text(wanted)
    return VENV / "bin" / "python"


def _wait(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, emulator.log.read_text()[-3000:]
        try:
            emulator.client("sts").get_caller_identity()
            return
        except Exception:
            time.sleep(0.1)
    raise AssertionError(f"the emulator does not answer:\n{emulator.log.read_text()[-3000:]}")


class _Loader(yaml.SafeLoader):
    """Templates with CloudFormation's short forms, read as their long ones."""


def _long(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long)


def template(file: Path, unknown: tuple[str, ...] = ()) -> dict[str, Any]:
    """A template without the resources of unknown types, and without what refers to them."""
    read: dict[str, Any] = yaml.load(file.read_text(), _Loader)
    gone = {name for name, resource in read["Resources"].items() if resource["Type"] in unknown}
    while gone:
        for name in gone:
            del read["Resources"][name]
        for output in [name for name, held in read.get("Outputs", {}).items() if _refers(held, gone)]:
            del read["Outputs"][output]
        gone = {name for name, resource in read["Resources"].items() if _refers(resource, gone)}
    return read


def _refers(part: Any, names: set[str]) -> bool:
    if isinstance(part, Mapping):
        if part.get("Ref") in names if isinstance(part.get("Ref"), str) else False:
            return True
        attribute = part.get("Fn::GetAtt")
        if isinstance(attribute, list) and attribute[0] in names:
            return True
        return any(_refers(value, names) for value in part.values())
    if isinstance(part, list):
        return any(_refers(value, names) for value in part)
    return isinstance(part, str) and any(f"${{{name}}}" in part or f"${{{name}." in part for name in names)

"""The CloudFormation templates as data, and what their policies allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from support.emulator import template

FOLDER = Path(__file__).resolve().parents[2] / "infra_cfn"
TEMPLATES: dict[str, dict[str, Any]] = {file.stem: template(file) for file in sorted(FOLDER.glob("*.yaml"))}
#: What !Sub puts in, where a policy is judged.
NAMES = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "111122223333",
    "AWS::URLSuffix": "amazonaws.com",
    "Environment": "prod",
    "RawBucket": "raw",
    "WarehouseBucket": "warehouse",
    "ArtifactsBucket": "artifacts",
}


def resources(*kinds: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every resource of these types, with its template and its name."""
    for name, read in TEMPLATES.items():
        for resource, held in read["Resources"].items():
            if not kinds or held["Type"] in kinds:
                yield name, resource, held


def properties(name: str, resource: str) -> dict[str, Any]:
    """What a resource is made with."""
    found: dict[str, Any] = TEMPLATES[name]["Resources"][resource]["Properties"]
    return found


def every(part: Any, key: str) -> Iterator[Any]:
    """Every value under that key, at any depth."""
    if isinstance(part, Mapping):
        if key in part:
            yield part[key]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from every(one, key)


def text(value: Any) -> str:
    """A string of a template with `NAMES` put in; a reference to something else stays to be seen."""
    if isinstance(value, Mapping):
        [(kind, inner)] = value.items()
        if kind == "Ref":
            return NAMES.get(inner, f"<{inner}>")
        if kind == "Fn::GetAtt":
            return f"<{'.'.join(inner)}>"
        if kind == "Fn::Sub":
            value = inner if isinstance(inner, str) else inner[0]
    return re.sub(r"\$\{(?!!)([^}]+)\}", lambda name: NAMES.get(name[1], f"<{name[1]}>"), str(value))


def several(value: Any) -> list[str]:
    """One or a list of them, as strings."""
    return [text(one) for one in (value if isinstance(value, list) else [value])]


def role_statements(held: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role's own policies."""
    for policy in held["Properties"].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


def allows(statements: list[dict[str, Any]], action: str, resource: str, *, signed: bool = True) -> bool:
    """Would these statements let a caller of our account (or one that signs nothing) do that?"""

    def speaks_of(statement: dict[str, Any]) -> bool:
        conditions = statement.get("Condition", {})
        ours = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        return (
            (not conditions or (conditions == ours and signed))
            and any(fnmatchcase(action, pattern) for pattern in several(statement["Action"]))
            and any(fnmatchcase(resource, pattern) for pattern in several(statement["Resource"]))
        )

    assert all(statement["Effect"] == "Allow" for statement in statements)
    return any(speaks_of(statement) for statement in statements)


#: What the emulator does not know.
UNKNOWN = {
    "AWS::Amplify::App",
    "AWS::Amplify::Branch",
    "AWS::Budgets::Budget",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::DLM::LifecyclePolicy",
    "AWS::EC2::EIP",
    "AWS::EC2::EIPAssociation",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Volume",
    "AWS::SSM::Document",
}


def emulable(name: str) -> str:
    """A template as the emulator takes it: what it does not know is there as a handle without properties, so that everything
    that refers to it is resolved as it would be."""
    read = template(FOLDER / name)
    for resource in read["Resources"].values():
        if resource["Type"] in UNKNOWN:
            kept = {key: resource[key] for key in ("Condition",) if key in resource}
            resource.clear()
            resource.update({"Type": "AWS::CloudFormation::WaitConditionHandle", **kept})
    return json.dumps(read)

"""What an environment's file says, `infra_cfn/environments/ENV.yml`: its region, parameters of root.yaml, and no secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra_cfn.commands.account import TEMPLATES, Trouble

FOLDER = TEMPLATES / "environments"
EXAMPLE = "example.yml"
#: Not a parameter: where it all is. It stands in the file, so that another shell does not deploy a second installation.
REGION = "Region"
#: The host of the example's lines, which nobody has.
PLACEHOLDER = "shop.example"
#: What `make deploy` itself fills in.
FILLED_IN = frozenset(
    {
        "Environment",
        "ArtifactsBucket",
        "TemplatesUrl",
        "Release",
        "OriginSecret",
        "WebAclArn",
        "Running",
        "WarehouseMachine",
    }
)


class _Loader(yaml.SafeLoader):
    """Reads a template: what !Ref and its like refer to is of no interest here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def root_parameters() -> dict[str, dict[str, Any]]:
    """The parameters of root.yaml."""
    return parameters_of((TEMPLATES / "root.yaml").read_text())


def parameters_of(template: str) -> dict[str, dict[str, Any]]:
    """The parameters of a template."""
    found: dict[str, dict[str, Any]] = yaml.load(template, _Loader)["Parameters"]  # noqa: S506
    return found


def region_of(environment: str, folder: Path = FOLDER) -> str | None:
    """The region that an environment's file names, if there is one."""
    file = folder / f"{environment}.yml"
    return _lines(file).get(REGION) if file.exists() else None


def read(environment: str, folder: Path = FOLDER) -> dict[str, str]:
    """The parameters that a person chose. Raises `Trouble` for a missing file, an unknown name or value, a missing line."""
    file = folder / f"{environment}.yml"
    if not file.exists():
        raise Trouble(f"There is no {file}. Copy {EXAMPLE} beside it and fill it in; it says what each line means.")
    known, chosen = root_parameters(), _lines(file)
    if REGION not in chosen:
        raise Trouble(f"{file} must say {REGION}, such as {REGION}: eu-central-1")
    del chosen[REGION]
    if unfilled := sorted(name for name, value in chosen.items() if PLACEHOLDER in value):
        raise Trouble(f"{file} still has the example's {', '.join(unfilled)}. Fill in your own.")
    if wrong := sorted(chosen.keys() - (known.keys() - FILLED_IN)):
        raise Trouble(
            f"{file}: {', '.join(wrong)} cannot be chosen. Known: {', '.join(sorted(known.keys() - FILLED_IN))}."
        )
    required = {name for name, about in known.items() if "Default" not in about} - FILLED_IN - {"AvailabilityZone"}
    if missing := sorted(required - chosen.keys()):
        raise Trouble(f"{file} must say {', '.join(missing)}: {known[missing[0]].get('Description', '')}")
    for name, value in chosen.items():
        allowed = [_text(one) for one in known[name].get("AllowedValues", [value])]
        if value not in allowed:
            raise Trouble(f"{file}: {name} is {value!r}, and may be {', '.join(allowed)}.")
    return chosen


def _lines(file: Path) -> dict[str, str]:
    try:
        said = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise Trouble(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict):
        raise Trouble(f"{file} must hold lines such as AlertEmail: you@{PLACEHOLDER}")
    return {str(name): _text(value) for name, value in said.items()}


def _text(value: object) -> str:
    """As CloudFormation takes it. YAML reads a bare yes as true, and a list stands for commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(_text(one) for one in value) if isinstance(value, list) else str(value)

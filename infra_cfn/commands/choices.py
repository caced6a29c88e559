"""What an environment's file says, `infra_cfn/environments/ENV.yml`: parameters of root.yaml, and no secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra_cfn.commands.account import TEMPLATES, Trouble

FOLDER = TEMPLATES / "environments"
EXAMPLE = "example.yml"
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
    found: dict[str, dict[str, Any]] = yaml.load((TEMPLATES / "root.yaml").read_text(), _Loader)["Parameters"]  # noqa: S506
    return found


def read(environment: str, folder: Path = FOLDER) -> dict[str, str]:
    """The parameters that a person chose. Raises `Trouble` for a missing file, an unknown name, or one that is missing."""
    file = folder / f"{environment}.yml"
    if not file.exists():
        raise Trouble(f"There is no {file}. Copy {EXAMPLE} beside it and fill it in; it says what each line means.")
    try:
        said = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise Trouble(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict):
        raise Trouble(f"{file} must hold lines such as AlertEmail: you@shop.example")
    known = root_parameters()
    chosen = {str(name): _text(value) for name, value in said.items()}
    if wrong := sorted(chosen.keys() - (known.keys() - FILLED_IN)):
        raise Trouble(
            f"{file}: {', '.join(wrong)} cannot be chosen. Known: {', '.join(sorted(known.keys() - FILLED_IN))}."
        )
    required = {name for name, about in known.items() if "Default" not in about} - FILLED_IN - {"AvailabilityZone"}
    if missing := sorted(required - chosen.keys()):
        raise Trouble(f"{file} must say {', '.join(missing)}: {known[missing[0]].get('Description', '')}")
    return chosen


def _text(value: object) -> str:
    """As CloudFormation takes it. YAML reads a bare yes as true, and a list stands for commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(_text(one) for one in value) if isinstance(value, list) else str(value)

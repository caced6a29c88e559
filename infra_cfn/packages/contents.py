"""What each package is made of: its third-party roots, the files of ours, and what is left out, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Files that the code reads at run time.
SUFFIXES = {".py", ".sql", ".yml", ".yaml", ".json", ".typed"}


@dataclass(frozen=True)
class Contents:
    """One package. `roots` are requirements; what they require is found by `lock.py` and pinned in `locks/`."""

    name: str
    roots: tuple[str, ...]
    ours: tuple[str, ...] = ()
    #: Folders of ours that are of no use there.
    without: tuple[str, ...] = ()
    #: Files that lie elsewhere in the package than in the repository: place there -> place here.
    placed: Mapping[str, str] = field(default_factory=dict)
    #: Distributions that a root requires and this package never imports, each with the reason.
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> Path:
        """Its third-party wheels, by version and hash."""
        return ROOT / "infra_cfn" / "packages" / "locks" / f"{self.name}.txt"

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file of ours: its place in the package, and where it lies."""
        for folder in self.ours:
            for file in sorted((ROOT / folder).rglob("*")):
                place = file.relative_to(ROOT).as_posix()
                if file.suffix in SUFFIXES and not place.startswith(self.without):
                    yield place, file
        yield from ((place, ROOT / here) for place, here in self.placed.items())


INGEST = Contents(
    "ingest_lambda",
    roots=("msgspec", "obstore"),
    ours=("ingest_lambda",),
    without=("ingest_lambda/typescript.py", "ingest_lambda/schema.py"),
)
ETL = Contents(
    "etl_lambda",
    # Not dagster-aws, pandas or boto3: nothing on this way imports the first two, and the runtime brings the third.
    roots=(
        *("dagster", "dagster-postgres", "psycopg2-binary", "msgspec", "obstore", "sqlglot"),
        *("crawler-user-agents", "ua-parser"),
    ),
    ours=("clickstream_dagster", "ingest_lambda", "dbt_like_sql"),
    without=(
        "clickstream_dagster/cli/",
        "clickstream_dagster/local/",
        "clickstream_dagster/front/",
        "clickstream_dagster/webserver.py",
    ),
    placed={"instance/dagster.yaml": "infra_cfn/packages/lambda_instance/dagster.yaml"},
    left_out={
        "grpcio": "talks to code servers; the tick runs its job in its own process",
        "grpcio-health-checking": "see grpcio",
        "protobuf": "see grpcio",
    },
)
#: What Lambda itself has beside a package, for tests that run one: its runtime interface client, and boto3.
RUNTIME = Contents("runtime", roots=("awslambdaric", "boto3"))
#: Everything that the warehouse machine runs: Dagster's servers and the dashboard, and our own wheel, which requires them.
INSTANCE = Contents(
    "instance",
    roots=("clickstream[server]",),
    left_out={"libsass": "compiles style sheets, has no wheel for arm64; ours is compiled when the package is made"},
)

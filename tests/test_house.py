"""The house: who may import whom, and one name everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.lineage import column_lineage, read_lineage
from clickstream_dagster.warehouse.models import LAYERS, all_models

ROOT = Path(__file__).resolve().parent.parent
OURS = {"clickstream_dagster", "ingest_lambda", "dbt_like_sql"}
MODELS = ROOT / "dbt_like_sql" / "models"
SQL_FILES = sorted(MODELS.glob("*/*.sql"))

#: Folder -> what of ours it may import besides itself. None of these may import dagster.
ALLOWED = {
    "ingest_lambda": set(),
    "clickstream_dagster/front": {"ingest_lambda.hosts", "clickstream_dagster.settings"},
    "clickstream_dagster/raw": {"ingest_lambda", "clickstream_dagster.settings", "clickstream_dagster.partitions"},
    "clickstream_dagster/warehouse": {
        "ingest_lambda",
        "clickstream_dagster.settings",
        "clickstream_dagster.partitions",
        "clickstream_dagster.raw",
    },
    "clickstream_dagster/reports": {
        "clickstream_dagster.settings",
        "clickstream_dagster.dashboard",
        "clickstream_dagster.stack",
        "clickstream_dagster.warehouse",
    },
    "clickstream_dagster/analysis": {
        "ingest_lambda",
        "clickstream_dagster.settings",
        "clickstream_dagster.partitions",
        "clickstream_dagster.raw",
        "clickstream_dagster.warehouse",
    },
}


def _imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; `from a import b` is a.b."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _files() -> list[tuple[str, Path]]:
    return [(folder, file) for folder in ALLOWED for file in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize(("folder", "file"), _files(), ids=lambda part: getattr(part, "stem", part))
def test_a_layer_imports_only_what_lies_below_it(folder: str, file: Path) -> None:
    allowed = {*ALLOWED[folder], folder.replace("/", ".")}
    ours = [module for module in _imports(file) if _is_in(module, OURS)]
    assert [module for module in ours if not _is_in(module, allowed)] == []
    assert [module for module in _imports(file) if module.partition(".")[0].startswith("dagster")] == []


def test_the_rule_reads_every_kind_of_import(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("import a.b\nfrom c import d, e\ndef f():\n    import g\nif True:\n    from h.i import j as k\n")
    assert sorted(_imports(file)) == ["a.b", "c.d", "c.e", "g", "h.i.j"]


def test_partitions_and_settings_import_nothing_of_ours() -> None:
    for name in ("partitions", "settings"):
        found = list(_imports(ROOT / "clickstream_dagster" / f"{name}.py"))
        assert [module for module in found if _is_in(module, OURS) or module.startswith("dagster")] == []


def test_the_dashboard_s_folder_does_not_shadow_the_package_it_uses() -> None:
    assert not (ROOT / "shiny" / "__init__.py").exists()


@pytest.mark.parametrize("file", sorted((ROOT / "shiny").rglob("*.py")), ids=lambda file: file.stem)
def test_the_dashboard_knows_only_itself_and_the_tables(file: Path) -> None:
    assert [module for module in _imports(file) if _is_in(module, OURS) or module.startswith("dagster")] == []


def test_every_sql_file_has_its_description_and_every_description_its_sql() -> None:
    assert len(SQL_FILES) > 10
    assert [file.with_suffix(".yml") for file in SQL_FILES] == sorted(MODELS.glob("*/*.yml"))
    assert {file.parent.name for file in SQL_FILES} == set(LAYERS)


def test_one_name_is_the_asset_the_table_and_the_file(warehouse: Connection) -> None:
    from clickstream_dagster.definitions import defs

    names = {file.stem for file in SQL_FILES}
    assets = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    with transaction(warehouse) as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        tables = {name for (name,) in cursor.fetchall()}
    assert assets == names == set(all_models())
    assert names <= tables


def test_an_asset_is_in_the_group_of_its_folder() -> None:
    from clickstream_dagster.definitions import defs

    graph = defs.resolve_asset_graph()
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {file.stem: file.parent.name for file in SQL_FILES}


@pytest.fixture(scope="module")
def descriptions() -> dict[str, list[str]]:
    """The columns that each .yml describes, in its order."""
    models = [yaml.safe_load(file.with_suffix(".yml").read_text())["models"][0] for file in SQL_FILES]
    assert all(column["description"].strip() for model in models for column in model["columns"])
    return {model["name"]: [column["name"] for column in model["columns"]] for model in models}


def test_a_description_has_every_column_of_its_table_in_order(
    warehouse: Connection, descriptions: dict[str, list[str]]
) -> None:
    with transaction(warehouse) as cursor:
        cursor.execute("""
            select table_name, array_agg(column_name::text order by ordinal_position)
            from information_schema.columns where table_schema = 'public' group by table_name
            """)
        tables = dict(cursor.fetchall())
    assert {name: tables[name] for name in descriptions} == descriptions


def test_the_types_that_are_described_are_those_of_the_tables(warehouse: Connection) -> None:
    with transaction(warehouse) as cursor:
        for model in all_models().values():
            for column in model.columns:
                cursor.execute(
                    "select atttypid = %s::regtype from pg_attribute where attrelid = %s::regclass and attname = %s",
                    (column.data_type, model.name, column.name),
                )
                assert cursor.fetchone() == (True,), (model.name, column.name, column.data_type)


def test_the_written_lineage_is_current() -> None:
    assert column_lineage() == read_lineage()

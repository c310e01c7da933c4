# Everything a person does with this project. `make run` and `make test` need only Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: run test dev dashboards lint bench fuzz clean

run: $(INSTALLED)  ## set up and run the whole pipeline
	@$(BIN)/olist run

test: $(INSTALLED)  ## set up and pass the tests
	@$(BIN)/python -m pytest tests/domain -p no:cacheprovider --cov=olist_domain --cov-branch \
		--cov-report=term:skip-covered --cov-fail-under=95
	@$(BIN)/python -m pytest --ignore=tests/domain -n 2 --dist loadfile --no-loadscope-reorder

dev: $(INSTALLED)  ## set up and open the Dagster UI
	@$(BIN)/olist dev

dashboards: $(INSTALLED)  ## set up and open the dashboards
	@$(BIN)/olist dashboards

lint: $(INSTALLED)  ## style, types, import contracts, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(INSTALLED)  ## measure (prints, asserts nothing)
	@$(BIN)/python -m benchmarks

EXAMPLES ?= 1000
SEED ?= 1

fuzz: $(INSTALLED)  ## compare EXAMPLES random pairs of tables, and spoil a small landing as often, at random (from SEED)
	@OLIST_FUZZ_EXAMPLES=$(EXAMPLES) OLIST_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest tests/fuzz/test_comparator.py
	@$(BIN)/python -m tests.fuzz --examples $(EXAMPLES) --seed $(SEED)

clean:  ## remove the environment and all state
	rm -rf $(VENV) .olist dbt/target dbt/logs build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

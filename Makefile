# Everything a person does with this project. Programs are run by the interpreter: their scripts in .venv/bin do not start
# below a folder with a double quote. `make run` and `make test` need only Python 3.11 to 3.13, git and make.
VENV := .venv
BIN := $(VENV)/bin
# `make run` installs what runs; everything else installs what tests and checks too.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_SPARK := $(VENV)/.installed-spark
# `make run ENGINE=spark` sets Spark up, too, and runs on it; without it OLIST_ENGINE says what runs, and Polars does.
ENGINE :=
PYTHON_VERSIONS := 3.13 3.12 3.11

# What runs is what is in VENV, and what is there is what the locks say, whatever the shell has for other projects.
unexport PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_DRY_RUN PIP_PYTHON PIP_CONSTRAINT PIP_REQUIREMENT
unexport PIP_EDITABLE PIP_REQUIRE_HASHES PIP_PLATFORM PIP_PYTHON_VERSION PIP_IMPLEMENTATION PIP_ABI PIP_NO_BINARY PIP_REPORT
export PIP_USER := 0
export PIP_REQUIRE_VIRTUALENV := 1
# An environment that came with a folder which was moved or copied leads to where it was made.
$(shell scripts/remove_moved_venv.sh "$(VENV)" >&2)

# With `make -j` two installations would write into one environment at once; what takes long is parallel by itself.
.NOTPARALLEL:

.PHONY: setup run check test test-long test-spark coverage mutants dev dashboards pictures lint bench bench-scale bench-engines bench-cluster bench-examples docs docs-serve fuzz image image-wheels lock lock-check clean

setup: $(INSTALLED_DEV)  ## set up what runs, tests and checks, and run nothing

run: $(INSTALLED) $(if $(filter spark,$(ENGINE)),$(INSTALLED_SPARK))  ## set up and run the whole pipeline
	@$(if $(ENGINE),OLIST_ENGINE=$(ENGINE)) $(BIN)/python -m olist_pipeline run

check: lint  ## the fast loop, in under a minute: lint, types, the domain, the contexts, the engine, the comparator
	@$(BIN)/python -m pytest tests/domain tests/pipeline/engine tests/pipeline/contexts tests/pipeline/tablediff \
		-m "not slow and not fuzz" -n 2

# More than one a core: a test waits for servers and processes half as long as it works.
AT_ONCE := -n 3 --dist loadfile --no-loadscope-reorder

# Compiling the tests takes as long as some hundreds of them: that is kept, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(INSTALLED_DEV)  ## set up and pass the tests, in some four minutes on two cores
	@$(BIN)/python -m pytest tests/domain -p no:cacheprovider --cov=olist_domain --cov-branch \
		--cov-report=term:skip-covered --cov-report=json:build/domain_coverage.json --cov-fail-under=95
	@$(BIN)/python -m pytest --ignore=tests/domain -m "not spark and not long" $(AT_ONCE)

test-long: export PYTHONDONTWRITEBYTECODE :=
test-long: $(INSTALLED_DEV)  ## set up and pass the tests that take longest: Dagster's UI, browsers, faults, whole projects
	@$(BIN)/python -m pytest -m "long and not spark" $(AT_ONCE)

# One session of Spark for all of them, so one process.
test-spark: $(INSTALLED_DEV) $(INSTALLED_SPARK)  ## set up Spark and pass its tests (needs Java 17 or later)
	@$(BIN)/python -m pytest -m spark

# All tests by default; `make coverage COVERED=tests/pipeline/stores COVERED_AT_LEAST=0` looks at some.
COVERED := tests
COVERED_AT_LEAST := 90

# The workers of `olist audit` start with nothing, a place for figures included: they count as never run.
coverage: $(INSTALLED_DEV)  ## what the tests reach of olist_pipeline, the processes that they start included
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest $(COVERED) $(AT_ONCE) \
		--cov=olist_pipeline --cov-report=term --cov-fail-under=$(COVERED_AT_LEAST)

# PART: a folder or module of olist_domain or of olist_pipeline/tablediff, both without it. SAMPLE: so many mutants,
# drawn at random by SEED; all without it, in some half an hour on two quiet cores.
COSMIC_RAY := cosmic-ray==8.7.0
MUTANTS := build/mutants/bin/python
MUTANTS_AT_LEAST := 95

mutants: $(INSTALLED_DEV) $(MUTANTS)  ## whether the tests notice changes of the domain and of the comparator
	@$(MUTANTS) -m scripts.mutation $(BIN)/python $(addprefix --part ,$(PART)) $(addprefix --sample ,$(SAMPLE)) \
		--seed $(SEED) --at-least $(MUTANTS_AT_LEAST)

$(MUTANTS): | $(BIN)/python
	@$(BIN)/python -m venv build/mutants && $(MUTANTS) -m pip install --quiet --disable-pip-version-check $(COSMIC_RAY)

dev: $(INSTALLED)  ## set up and open the Dagster UI
	@$(BIN)/python -m olist_pipeline dev

dashboards: $(INSTALLED)  ## set up and open the dashboards
	@$(BIN)/python -m olist_pipeline dashboards

pictures: $(INSTALLED_DEV)  ## draw the pictures in docs anew, dashboards and Dagster's pages, over a synthetic set (needs chromium)
	@$(BIN)/python scripts/pictures.py

lint: $(INSTALLED_DEV)  ## style, types, import contracts, declared packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry . --no-ansi

bench: $(INSTALLED_DEV)  ## measure (prints, asserts nothing)
	@$(BIN)/python -m benchmarks

# ORDERS: sizes, as in: make bench-scale ORDERS="20000 100000 1000000". SCALE: --json, --keep FILE, --page.
ORDERS ?= 20000 100000
SCALE :=

bench-scale: $(INSTALLED_DEV)  ## how a first run and a night grow with the number of orders
	@$(BIN)/python -m benchmarks.scale $(ORDERS) $(SCALE)

# LANDING: a folder of files, else some are generated. ENGINES, CLUSTER: options, as in: make bench-engines ENGINES="--memory 3g".
LANDING :=
ENGINES :=
CLUSTER :=

bench-engines: $(INSTALLED_DEV) $(INSTALLED_SPARK)  ## whether Polars and Spark leave the same rows, events and tables, and what each takes
	@$(BIN)/python -m benchmarks.engines $(LANDING) $(ENGINES)

bench-cluster: $(INSTALLED_DEV) $(INSTALLED_SPARK)  ## the same on a cluster of Spark on this machine, two workers of which are killed
	@$(BIN)/python -m benchmarks.cluster $(LANDING) $(CLUSTER)

bench-examples: $(INSTALLED_DEV)  ## the service and the consumer of examples/ under load, killed again and again
	@$(BIN)/python -m benchmarks.examples

# An environment of its own: nothing else needs it.
DOCS := build/docs/bin/python
DOCS_INSTALLED := build/docs/.installed

docs: $(DOCS_INSTALLED)  ## build the site of the documents in build/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs build --strict

docs-serve: docs  ## build the site, and serve it on http://localhost:8001
	@$(DOCS) -m http.server --bind 127.0.0.1 --directory build/site 8001

$(DOCS_INSTALLED): requirements-docs.lock | $(BIN)/python
	@$(BIN)/python -m venv build/docs
	@$(DOCS) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@! command -v npm >/dev/null || scripts/fetch_mermaid.sh build/docs
	@touch $@

EXAMPLES ?= 1000
SEED ?= 1

fuzz: $(INSTALLED_DEV)  ## compare EXAMPLES random pairs of tables, and spoil a small landing as often, at random (from SEED)
	@OLIST_FUZZ_EXAMPLES=$(EXAMPLES) OLIST_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest tests/fuzz/test_comparator.py
	@$(BIN)/python -m tests.fuzz --examples $(EXAMPLES) --seed $(SEED)

clean:  ## remove the environment and all state
	rm -rf $(VENV) $(VENV).removed.* $(VENV).lock .olist dbt/target dbt/logs build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# The environment -----------------------------------------------------------------------------------------------------

NOT_INSTALLED := echo "$(VENV) is not whole; pip says why, and the same command goes on from here. Where the package index \
cannot be reached, PIP_INDEX_URL names another, PIP_NO_INDEX=1 with PIP_FIND_LINKS a folder of wheels." >&2

alone = scripts/alone.sh $(VENV)
pip_install = $(alone) $(BIN)/python -m pip install --quiet --disable-pip-version-check
install_from = $(pip_install) --require-hashes -r $(1) && $(pip_install) --no-deps --no-build-isolation -e . \
	|| { $(NOT_INSTALLED); exit 1; }

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what runs into $(VENV) (once, about a minute) ..."
	@$(call install_from,requirements.lock)
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing what runs, tests and checks into $(VENV) (once, about a minute) ..."
	@$(call install_from,requirements-dev.lock)
	@touch $(INSTALLED) $@

# pyspark comes as its source alone, which the locked setuptools builds; everything else are wheels.
$(INSTALLED_SPARK): requirements-spark.lock | $(INSTALLED)
	@$(BIN)/python -m olist_pipeline.spark.requirements
	@echo "Installing Spark into $(VENV) (once, 450 MB to download) ..."
	@$(pip_install) --require-hashes --no-build-isolation -r $<
	@touch $@

# The newest Python on the PATH that fits, unless one is named.
$(BIN)/python:
	@$(alone) scripts/make_venv.sh $(VENV) "$(PYTHON)" $(PYTHON_VERSIONS)

# The image -----------------------------------------------------------------------------------------------------------

IMAGE := olist
IMAGE_PYTHON := 3.11
# For the engine, as in: make image IMAGE_FLAGS="--build-arg BASE=..."
IMAGE_FLAGS :=

image:  ## build the image of a server with docker, podman or buildah
	@scripts/build_image.sh $(IMAGE) $(IMAGE_FLAGS)

image-wheels: $(INSTALLED)  ## download the image's packages, for a build without network
	@$(BIN)/python -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(IMAGE_PYTHON)")' || \
		{ echo "The image has Python $(IMAGE_PYTHON), $(VENV) another: make clean, then make PYTHON=python$(IMAGE_PYTHON) $@"; exit 1; }
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		--python-version $(IMAGE_PYTHON) --dest deploy/wheels -r requirements.lock

# The locks -----------------------------------------------------------------------------------------------------------

UV := build/uv/bin/uv
# Keeps the versions that stand in the locks; `make lock LOCK_FLAGS="--upgrade-package polars"` moves one, --upgrade all.
LOCK_FLAGS :=
compile = $(UV) pip compile pyproject.toml --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url \
	--custom-compile-command "make lock" $(LOCK_FLAGS)

lock: $(UV)  ## write all locks from pyproject.toml
	$(compile) --group build --output-file requirements.lock
	$(compile) --group dev --extra examples --constraints requirements.lock --output-file requirements-dev.lock
	$(compile) --group build --extra s3 --constraints requirements-dev.lock --output-file requirements-s3.lock
	$(compile) --group build --extra spark --constraints requirements-dev.lock --output-file requirements-spark.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url \
		--custom-compile-command "make lock" $(LOCK_FLAGS) --group docs --output-file requirements-docs.lock

LOCKS := requirements.lock requirements-dev.lock requirements-docs.lock requirements-s3.lock requirements-spark.lock

lock-check: $(UV)  ## whether all locks can be installed with each Python, from wheels alone but for pyspark
	@for version in $(PYTHON_VERSIONS); do for lock in $(LOCKS); do \
		$(UV) pip install --quiet --dry-run --require-hashes --only-binary :all: --no-binary pyspark \
			--python-version $$version \
			--target build/lock-check -r $$lock && echo "$$lock: Python $$version" || exit 1; \
	done; done

$(UV): | $(BIN)/python
	@$(BIN)/python -m venv build/uv && build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

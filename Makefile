# Everything people and CodeBuild run. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ENVS := $(VENV)/envs
# This folder's tool, whichever folder the environment was made from: builds of the pipeline share one environment.
TOOL := PYTHONPATH="$(CURDIR)" $(BIN)/python -P -m manuel_release
UV := $(BIN)/uv
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export UV_LINK_MODE = copy

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments: one for the tool, one each for the embedded AWS, for SAM, and for the functions' own interpreter
$(UV): | $(VENV)/.created
	@$(BIN)/python -m pip install --quiet uv==0.13.9

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Set PYTHON=python3.11.")'
	@echo "Making the environments in $(VENV), once; this takes about half a minute." >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Made again when a lock's text changes, not when its time does: a build unpacks its files with new times.
locked = $(shell cksum < locks/$(1).txt | cut -d ' ' -f 1)
DEV := $(VENV)/.dev-$(call locked,dev)
ready = $(ENVS)/$(1)/.ready-$(call locked,$(1))

$(DEV): | $(UV)
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r locks/dev.txt
	@touch $@

$(VENV)/.tool: pyproject.toml | $(DEV)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

define environment
$(call ready,$(1)): | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(ENVS)/$(1)
	@$(UV) pip sync --quiet --compile-bytecode --python $(ENVS)/$(1)/bin/python --require-hashes locks/$(1).txt
	@touch $$@
endef
$(foreach name,emulator build function integration,$(eval $(call environment,$(name))))

.PHONY: setup
setup: $(DEV) $(VENV)/.tool $(foreach name,emulator build function integration,$(call ready,$(name))) ## Make every environment in .venv

.PHONY: setup-tool
setup-tool: $(DEV) ## What the tool needs, as deploy and promote do

.PHONY: setup-build
setup-build: $(DEV) $(call ready,build) ## The tool's needs, its checks, and SAM

.PHONY: setup-integration
setup-integration: $(call ready,integration) ## What the suites against an environment need

# --- the two commands
.PHONY: rehearse
rehearse: setup ## Run a release here, end to end, on an AWS of its own
	@$(BIN)/manuel-release rehearse $(ARGS)

.PHONY: test
test: setup lint types templates ## Everything that checks this project: lint, types, templates, every test
	@rm -f .coverage .coverage.*
	@COVERAGE_RUN_ROOT=$(CURDIR) $(BIN)/python -m pytest --cov --cov-report= $(PYTEST)
	@$(BIN)/coverage combine --quiet --append 2>/dev/null || true
	@$(BIN)/coverage report --fail-under=85 | tail -n 60

# --- the parts
.PHONY: format
format: setup ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix-only .

.PHONY: lint
lint: setup ## Format and lint, checked
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

.PHONY: types
types: setup ## mypy, strict
	@$(BIN)/mypy --no-error-summary manuel_release src/app/manuel src/operations benchmarks

.PHONY: templates
templates: setup ## cfn-lint over the templates
	@$(BIN)/cfn-lint template.yaml operations.yaml pipeline.yaml chaos.yaml

# --- suites against a deployed environment: ENVIRONMENT=dev|staging|production
ENVIRONMENT ?= dev
SUITE = $(ENVS)/integration/bin/python tests/integration/test_runner.py --environment $(ENVIRONMENT) --config test_config_$(ENVIRONMENT).json --discover $(SUITE_ARGS)

.PHONY: test-integration
test-integration: setup-integration ## All categories of the integration suite against ENVIRONMENT
	@$(SUITE)

.PHONY: test-security
test-security: setup-integration ## Security and sign-in, fuzzing too, against ENVIRONMENT
	@$(SUITE) --category security --category authentication --report security

.PHONY: test-e2e
test-e2e: setup-integration ## Whole workflows of a user against ENVIRONMENT
	@$(SUITE) --category workflows --report e2e

.PHONY: test-failure-scenarios
test-failure-scenarios: setup-integration ## Answers when something is used up, wrong or away, against ENVIRONMENT
	@$(SUITE) --category failure_scenarios --report failure-scenarios

CHAOS_SUITE ?= basic

.PHONY: test-chaos
test-chaos: setup-integration ## Failures planted between the functions and AWS, against ENVIRONMENT (dev or staging)
	@$(ENVS)/integration/bin/python tests/integration/chaos/run.py --environment $(ENVIRONMENT) --suite $(CHAOS_SUITE)

.PHONY: test-smoke
test-smoke: setup-integration ## The short, reading part of every category against ENVIRONMENT
	@$(SUITE) --profile smoke --report smoke

.PHONY: test-planted
test-planted: setup ## Does every suite notice what it guards against? Plants faults one by one, and writes docs/planted-faults.md
	@$(BIN)/python tests/planted.py

.PHONY: build
build: setup ## sam build into .aws-sam/build
	@PATH="$(abspath $(ENVS))/build/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam build

.PHONY: validate
validate: setup ## sam validate --lint
	@PATH="$(abspath $(ENVS))/build/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam validate --lint

.PHONY: docs
docs: setup ## Write docs/commands.md from the commands' help
	@$(BIN)/python -m manuel_release.cli.reference docs/commands.md

.PHONY: benchmarks
benchmarks: setup ## Measure what is promised: ratios against a peer in the same run
	@$(BIN)/python benchmarks/help_speed.py

.PHONY: lock
lock: $(UV) ## Renew the locks from pyproject.toml and locks/*.in
	@for name in emulator build function integration; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header locks/$$name.in -o locks/$$name.txt || exit 1; done
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o locks/dev.txt
	@cp locks/integration.txt tests/integration/fixtures/requirements.txt

.PHONY: clean
clean: ## Remove what was made here: environments, builds, reports
	@rm -rf $(VENV) .aws-sam .manuel .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

# Everything people and CodeBuild run. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ENVS := $(or $(MANUEL_ENVS),$(VENV)/envs)
# This folder's tool, whichever folder the environment was made from: builds of the pipeline share one environment.
TOOL := PYTHONPATH="$(CURDIR)" $(BIN)/python -P -m manuel_release
UV := $(BIN)/uv
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export UV_LINK_MODE = copy

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
rehearse: setup ## Run the whole pipeline here, on an AWS of its own: a good day, a bad day, a rollback by hand
	@$(BIN)/manuel-release rehearse --approve $(ARGS)

.PHONY: test
test: setup lint types templates ## Everything that checks this project: lint, types, templates, every test
	@rm -f .coverage .coverage.*
	@COVERAGE_RUN_ROOT=$(CURDIR) $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report= $(PYTEST)
	@$(BIN)/coverage combine --quiet --append 2>/dev/null || true
	@$(BIN)/coverage report --fail-under=85 | tail -n 60

# --- the parts
.PHONY: format
format: setup ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix-only .

.PHONY: lint
lint: setup-tool ## Format and lint, checked
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

.PHONY: types
types: setup-tool ## mypy, strict
	@$(BIN)/mypy --no-error-summary manuel_release src/app/manuel src/operations benchmarks

.PHONY: templates
templates: setup-tool ## cfn-lint over the templates
	@$(BIN)/cfn-lint template.yaml operations.yaml pipeline.yaml chaos.yaml

# --- what is said of the source before it is built; each leaves a report in reports/
# smoke: the part that shows that everything fits, for rehearsals; full: everything.
PROFILE ?= full
FAST_TESTS := tests/unit tests/cli tests/aws tests/templates tests/functions tests/test_architecture.py
UNIT_TESTS = $(if $(filter smoke,$(PROFILE)),tests/functions,$(FAST_TESTS))
UNIT_SOURCE = $(if $(filter smoke,$(PROFILE)),src/app/*,src/*$(comma)manuel_release/*)
comma := ,

.PHONY: pipeline-validate
pipeline-validate: setup-tool ## pipeline.yaml, buildspecs and this file fit together
	@$(TOOL) pipeline validate

.PHONY: security-scan
security-scan: setup-tool ## bandit over everything that runs; high severity stops
	@mkdir -p reports
	@$(BIN)/bandit --quiet --recursive --exit-zero --format json --output reports/bandit.json manuel_release src
	@$(TOOL) quality security reports/bandit.json --report reports/security-scan.xml

# OSV is asked, which has PyPI's advisories and more. Nobody to ask, or a finding, does not stop; both are told.
AUDITED := locks/dev.txt locks/function.txt src/app/requirements.txt

.PHONY: dependency-audit
dependency-audit: setup-tool ## Known vulnerabilities of the tool's and the functions' dependencies
	@mkdir -p reports && rm -f reports/pip-audit.json
	@$(BIN)/pip-audit --vulnerability-service osv --require-hashes --disable-pip --progress-spinner off --timeout 10 \
	  --format json --output reports/pip-audit.json $(AUDITED:%=--requirement %) 2>reports/pip-audit.log || true
	@$(TOOL) quality dependencies reports/pip-audit.json --complaints reports/pip-audit.log --report reports/dependency-audit.xml

.PHONY: test-unit
test-unit: setup-tool ## Tests that need no AWS, with at least 80 % coverage
	@mkdir -p reports && rm -f reports/.coverage reports/.coverage.* reports/coverage.xml
	@export COVERAGE_FILE="$(CURDIR)/reports/.coverage"; \
	$(BIN)/python -m pytest -q -n auto -m "not emulator and not patches" --cov --cov-report= --junit-xml=reports/unit-tests.xml $(UNIT_TESTS) $(PYTEST); \
	code=$$?; \
	$(BIN)/coverage xml --quiet --include='$(UNIT_SOURCE)' --omit='manuel_release/rehearsal/*' -o reports/coverage.xml; \
	[ $$code -ne 0 ] || $(BIN)/coverage report --include='$(UNIT_SOURCE)' --omit='manuel_release/rehearsal/*' --fail-under=80 | tail -n 4 >&2; \
	exit $$code

# CodeBuild puts the artifacts of other stages into folders of their own and names them in these variables.
RESULTS = tests/integration/results $(foreach one,TestResultsDev TestResultsStaging ChaosTestResults,$(CODEBUILD_SRC_DIR_$(one):%=$(one)=%/tests/integration/results))
STAGE ?= $(if $(filter production,$(GATE)),production,canary)

.PHONY: quality
quality: setup-tool ## Is this good enough? All reports against the specification's gates
	@$(TOOL) quality check --stage $(STAGE) $(RESULTS:%=--results %)

# --- suites against a deployed environment: ENVIRONMENT=dev|staging|production
ENVIRONMENT ?= dev
ARTIFACT ?= .aws-sam/artifact
PACKAGED = $(if $(wildcard template.yaml),,--template $(ARTIFACT)/packaged-template.yaml)
SUITE = $(ENVS)/integration/bin/python tests/integration/test_runner.py --environment $(ENVIRONMENT) --config test_config_$(ENVIRONMENT).json --discover $(PACKAGED) --expect-release $(EXPECTED) $(SUITE_ARGS)
AS_MUCH = --profile $(PROFILE)
EXPECTED = "$$(cat reports/expected-release 2>/dev/null)"

.PHONY: expected-release
expected-release: setup-tool ## From now on, suites accept only answers of the artifact's release in ENVIRONMENT
	@mkdir -p reports
	@$(TOOL) step release --env $(ENVIRONMENT) --artifact $(ARTIFACT) > reports/expected-release

.PHONY: test-integration
test-integration: setup-integration ## All categories of the integration suite against ENVIRONMENT
	@$(SUITE) $(AS_MUCH)

.PHONY: test-security
test-security: setup-integration ## Security and sign-in, fuzzing too, against ENVIRONMENT
	@$(SUITE) $(AS_MUCH) --category security --category authentication --report security

.PHONY: test-e2e
test-e2e: setup-integration ## Whole workflows of a user against ENVIRONMENT
	@$(SUITE) $(AS_MUCH) --category workflows --report e2e

.PHONY: test-failure-scenarios
test-failure-scenarios: setup-integration ## Answers when something is used up, wrong or away, against ENVIRONMENT
	@$(SUITE) $(AS_MUCH) --category failure_scenarios --report failure-scenarios

.PHONY: test-performance
test-performance: setup-integration ## Load of a usual hour against ENVIRONMENT, compared with the baseline
	@$(ENVS)/integration/bin/python tests/integration/performance/run.py --environment $(ENVIRONMENT) --profile $(PROFILE) --release $(EXPECTED) $(PERFORMANCE_ARGS)

CHAOS_SUITE ?= basic
CHAOS_ARGS ?= $(if $(filter smoke,$(PROFILE)),--only bedrock-throttling)

.PHONY: test-chaos
test-chaos: setup-integration ## Failures planted between the functions and AWS, against ENVIRONMENT (dev or staging)
	@$(ENVS)/integration/bin/python tests/integration/chaos/run.py --environment $(ENVIRONMENT) --suite $(CHAOS_SUITE) --expect-release $(EXPECTED) $(CHAOS_ARGS)

.PHONY: test-smoke
test-smoke: setup-integration ## The short, reading part of every category against ENVIRONMENT
	@$(SUITE) --profile smoke --report smoke

.PHONY: test-crash
test-crash: setup ## A command killed between any two calls of AWS leaves nothing broken; SHARD=1/4 for a quarter
	@MANUEL_CRASH_SHARD="$(SHARD)" $(BIN)/python -m pytest -n auto tests/crash $(PYTEST)

.PHONY: test-planted
test-planted: setup ## Does every suite notice what it guards against? Plants faults one by one, and writes docs/planted-faults.md
	@$(BIN)/python tests/planted.py

.PHONY: build
build: setup-build ## sam build into .aws-sam/build
	@PATH="$(abspath $(ENVS))/build/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam build

.PHONY: validate
validate: setup-build ## sam validate --lint
	@PATH="$(abspath $(ENVS))/build/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam validate --lint

# --- the pipeline's steps: buildspecs call these, and people may. The build that is released is in $(ARTIFACT).
GATE ?= production
# For somebody else's lease or canary: a canary in production waits for people. The pipeline's projects set less, so that
# the tool says what is in the way before CodeBuild ends the build.
WAIT ?= $(if $(filter production,$(ENVIRONMENT)),6h,1h)

.PHONY: package
package: build ## The artifact that later steps deploy; uploads the code
	@MANUEL_ENVS="$(abspath $(ENVS))" $(TOOL) package --no-build --folder $(ARTIFACT)

.PHONY: parameter-forms
parameter-forms: setup-tool ## The parameters in CodePipeline's form, beside the artifact
	@mkdir -p $(ARTIFACT)
	@for one in dev staging production; do \
	  $(TOOL) parameters --env $$one --form codepipeline > $(ARTIFACT)/configuration-$$one.json || exit 1; done

.PHONY: pipeline-deploy
pipeline-deploy: setup-tool ## The artifact to ENVIRONMENT, when nobody else is at it
	@$(TOOL) step deploy --env $(ENVIRONMENT) --wait $(WAIT) --artifact $(ARTIFACT) --yes

.PHONY: pipeline-canary
pipeline-canary: setup-tool ## The artifact's release gets its first share of the traffic
	@$(TOOL) step canary --env $(ENVIRONMENT) --wait $(WAIT) --artifact $(ARTIFACT) --yes

.PHONY: pipeline-observe
pipeline-observe: setup-tool ## The artifact's release is observed, for OBSERVE or as the settings say; a bad one is taken back
	@mkdir -p reports && : > reports/approval.env
	@$(TOOL) step observe --env $(ENVIRONMENT) --artifact $(ARTIFACT) --result reports/observation.json $(OBSERVE:%=--for %) --yes

.PHONY: pipeline-promote
pipeline-promote: setup-tool ## The artifact's release gets PERCENT, or what GATE of EXECUTION_ID chose
	@$(TOOL) step promote $(PERCENT) --env $(ENVIRONMENT) --wait $(WAIT) --artifact $(ARTIFACT) --gate $(GATE) --execution "$(EXECUTION_ID)" --yes

.PHONY: approval-change-set
approval-change-set: setup-tool ## What the artifact would change in production, for people who decide
	@$(TOOL) step change-set --env production --artifact $(ARTIFACT) --to reports/change-set.json

.PHONY: approval-package
approval-package: setup-tool ## What people decide on at GATE of EXECUTION_ID: tests, change set, verdict, with a hash
	@mkdir -p reports
	@$(TOOL) quality check --stage $(STAGE) $(RESULTS:%=--results %) --to reports/quality.json
	@set --; for one in quality change-set observation; do \
	  [ ! -f reports/$$one.json ] || set -- "$$@" --part $$one=reports/$$one.json; done; \
	$(TOOL) approval package --gate $(GATE) --execution "$(EXECUTION_ID)" --artifact $(ARTIFACT) \
	  $(patsubst %,--results %,build=reports $(RESULTS)) "$$@" --variables reports/approval.env

.PHONY: approval-check
approval-check: setup-tool ## Who passed GATE of EXECUTION_ID, and has nothing moved since?
	@$(TOOL) approval check --gate $(GATE) --execution "$(EXECUTION_ID)" --artifact $(ARTIFACT)

BRANCH ?= main

.PHONY: mirror
mirror: ## What is checked out, to the branch BRANCH of the repository MIRROR_URL
	@git push --quiet "$(MIRROR_URL)" HEAD:refs/heads/$(BRANCH)

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
	@rm -rf $(VENV) .aws-sam .manuel reports .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

# `make` alone lists the targets. A fresh clone needs Python 3 and make; the rest is installed.

export PATH := $(CURDIR)/.tools/node/bin:$(PATH)
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1
# Tests start hundreds of processes, each of which would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-print-directory --no-builtin-rules

BIN := .venv/bin
JOBS := $(shell getconf _NPROCESSORS_ONLN)
# More than cores: a third of the time, tests wait for a browser, a timer or PostgreSQL.
WORKERS ?= $(shell expr $(JOBS) \* 3 / 2)

# What to install. The development locks include the server's, so `make run` needs nothing more.
LEVEL := $(if $(filter-out help run cluster static messages,$(MAKECMDGOALS))$(wildcard .venv/dev.stamp),dev,server)
PYTHON := .venv/$(LEVEL).stamp
NODE := node_modules/$(LEVEL).stamp

# After an upgrade of the system's Python, .venv may have none.
ifeq ($(wildcard .venv/bin/python),)
$(PYTHON): again
endif

BROWSER_FILES := build/static/.stamp
BROWSER_SOURCES := $(shell find static -type f)
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
CHECKS := lint types imports migrations templates static shell workflows image spelling dependencies security

.DEFAULT_GOAL := help
.PHONY: help run cluster test check bench bench-full faults fmt clean lock setup static messages system again $(CHECKS:%=check-%)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(PYTHON) $(BROWSER_FILES) $(CATALOGUES) ## Start TMS with a demo fleet (HOST, PORT, TERMINALS, TMS_DATA_DIR)
	@# In a demo, changes should be visible soon: a heartbeat every 10 s, not 30. Notifications may go to this machine.
	@TMS_HEARTBEAT_S=$${TMS_HEARTBEAT_S:-10} TMS_ROLLOUT_HOUR_S=$${TMS_ROLLOUT_HOUR_S:-60} \
		TMS_INSIDE_DESTINATIONS=$${TMS_INSIDE_DESTINATIONS:-127.0.0.0/8,::1} \
		exec $(BIN)/python manage.py demo

cluster: $(PYTHON) $(BROWSER_FILES) $(CATALOGUES) ## Start TMS as in production: PostgreSQL, Redis, nginx, nodes, clocks (N, CLOCKS, TERMINALS, PORT)
	@scripts/system-packages cluster
	@exec $(BIN)/python -m deploy.cluster

test: system $(PYTHON) $(NODE) static messages ## Run every check and every test, on SQLite and on PostgreSQL with Redis
	@$(MAKE) check
	@$(BIN)/python -m tests.suite --workers $(WORKERS)
	@scripts/tests-passed

check: $(PYTHON) $(NODE) ## Run the checks that need no service: lint, types, imports, templates, spelling, security
	@$(MAKE) --keep-going --jobs=$(JOBS) $(CHECKS:%=check-%)

bench: system $(PYTHON) static messages ## Measure the performance targets; a quarter of an hour (KEEP names a file for the run)
	@$(BIN)/python -m benchmarks.peers
	@$(BIN)/python -m benchmarks $(if $(KEEP),--keep $(KEEP))

bench-full: system $(PYTHON) static messages ## Hold 50,000 terminals, kill processes, go on to 100,000 (KEEP)
	@$(BIN)/python -m benchmarks.full $(if $(KEEP),--keep $(KEEP))

faults: system $(PYTHON) static messages ## Inject faults, and print their effects on reports, alerts and boards (FAULTS="NAME ...", KEEP=PATH)
	@$(BIN)/python -m tests.faults $(FAULTS) $(if $(KEEP),--keep $(KEEP))

fmt: $(PYTHON) $(NODE) ## Format Python, JavaScript and CSS
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@node_modules/.bin/biome check --write --log-level=error static benchmarks docs biome.json package.json

clean: ## Remove everything that was installed or built; data in var/ stays
	rm -rf .venv .tools node_modules build dist artefacts *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.mo' -type f -delete

lock: $(PYTHON) ## Resolve the dependencies and write the locks
	@scripts/lock

# Parts of the above

setup: $(PYTHON) $(NODE) static messages

static: $(BROWSER_FILES)

messages: $(CATALOGUES)

system:
	@scripts/system-packages

.venv/%.stamp: requirements/%.txt requirements/bootstrap.txt agent/pyproject.toml scripts/bootstrap
	@scripts/bootstrap $*

node_modules/%.stamp: package-lock.json scripts/node-packages | $(PYTHON)
	@scripts/node-packages $*

$(BROWSER_FILES): $(NODE) $(BROWSER_SOURCES)
	@node static/build.js
	@touch $@

%.mo: %.po | $(PYTHON)
	@$(BIN)/python -c 'import polib, sys; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])' $< $@

$(CHECKS:%=check-%): $(PYTHON) $(NODE)

check-lint:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

check-types:
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --config-file agent/pyproject.toml

check-imports:
	@said=$$($(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }

check-migrations:
	@$(BIN)/python manage.py makemigrations --check --dry-run --skip-checks --verbosity 0 || \
		{ echo "models have changed: run manage.py makemigrations --name ..."; exit 1; }
	@$(BIN)/python -m deploy.compatibility

check-templates:
	@said=$$($(BIN)/djlint --lint templates 2>&1) || { echo "$$said"; exit 1; }

check-static:
	@node_modules/.bin/biome ci --colors=off --log-level=error static benchmarks docs biome.json package.json

check-shell:
	@grep -rlE --exclude='*.py' '^#!.*\b(ba)?sh$$' .ci scripts deploy tools 2>/dev/null | xargs $(BIN)/shellcheck

check-workflows:
	@$(BIN)/yamllint --strict --config-file .github/yamllint.yaml .github compose.yaml docs/asyncapi.yaml deploy/prometheus
	@$(BIN)/actionlint -shellcheck $(BIN)/shellcheck
	@said=$$($(BIN)/zizmor --quiet --offline --no-progress .github 2>&1) || { echo "$$said"; exit 1; }

check-image:
	@$(BIN)/hadolint Dockerfile
	@deploy/image/base --check

check-spelling:
	@$(BIN)/codespell

check-dependencies:
	@$(BIN)/deptry --no-ansi .
	@cd agent && ../$(BIN)/deptry --no-ansi src

check-security:
	@$(BIN)/bandit --quiet --severity-level medium -c pyproject.toml -r asgi.py manage.py agent/src consumers tms

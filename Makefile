# Every target sets up what it needs, from a machine with Python 3.11 or newer, pip and make.
#
#   make demo                  serve a catalog of drawn products as a shop; SOURCE=photos/ takes your own
#   make test                  the tests that need no server
#   make test-engines          the tests against real servers, which are started; needs Go for the one of S3, Java 21 or newer
#                              for OpenSearch; SARTOR_TEST_MONGODB=mongodb://…, SARTOR_TEST_OPENSEARCH=opensearch://… and
#                              SARTOR_TEST_S3=s3://… take yours
#   make check                 what CI runs: format, lint, types, layers, dead code, tests
#   make demo-data             draw the demo catalog that the package ships
#   make bench                 the short set of benchmarks, and the page of their tables; let nothing else run beside it

comma := ,
PYTHON ?= python3
BIN := .venv/bin
SOURCE ?=
HOME_DIR ?= sartor-demo
PYTEST = $(BIN)/pytest --numprocesses 3 --dist loadfile --durations 25
# Annoy has no wheels: it is built where there is a C++ compiler, and its tests skip where there is none.
ANNOY := $(if $(shell command -v c++ || command -v g++ || command -v clang++),annoy$(comma))
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt

# Byte code is kept even where the environment says not to: else each process that a test starts compiles all
# that it imports, which takes longer than most tests.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo demo-data test test-engines check bench format clean

demo: .venv/.core
	$(BIN)/sartor demo --home "$(HOME_DIR)" $(if $(SOURCE),--source "$(SOURCE)")

demo-data: .venv/.dev
	$(BIN)/python -m tools.demo_catalog --data

test: .venv/.dev
	$(PYTEST) -m "not engines"
	@echo "Left to make test-engines: the tests against the servers of MongoDB, OpenSearch, Redis and S3, and on Ray."

test-engines: .venv/.engines
	$(PYTEST) -m engines

check: .venv/.engines
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(PYTEST)

bench: .venv/.dev
	$(BIN)/python -m benchmarks

format: .venv/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.core: .venv/bin/uv pyproject.toml constraints.txt
	$(INSTALL) --editable .
	touch $@

.venv/.dev: .venv/.core
	$(INSTALL) --editable '.[$(ANNOY)onnxruntime,train,report,parquet,faiss,heic,studio,mongodb,opensearch,redis,s3]' --group dev --group bench
	touch $@

.venv/.engines: .venv/.dev
	$(INSTALL) --editable '.[ray]' --group engines
	touch $@

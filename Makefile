# Everything that is done with this repository, by name. `make` alone says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test faults tsan conformance fuzz lint schemas build bench docker-up docker-down clean dependencies lint-swift lint-scripts

# The real invoices that the demo replays: an excerpt with every case of the rules.
EXCERPT := Sources/order-pipeline/Resources/online-retail-excerpt.csv
# The form in which `make bench` prints: table or json.
FORMAT ?= table
# How long `make fuzz` goes on; KSTREAM_FUZZ_SEED in the environment repeats a run.
FUZZ_SECONDS ?= 3600
# How long each test of `make faults` keeps up its load.
FAULT_SECONDS ?= 30
# What `make schemas` compares with: the last release, since what was released is what others go by; before the first one, where
# this branch began.
SCHEMAS_BASE ?= $(shell git describe --tags --abbrev=0 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || echo HEAD)
SCHEMAS_MODE ?= backward
# How often `make faults` kills each process of event sourcing, and half as often a service of the pipeline.
KILLS ?= 100
# The tests that kill or stop processes: each suite has the machine for itself.
KILLED_SERVICES := OrderPipelineTests.KilledServicesTests
KILLED_PROCESSES := EventSourcingTests.KilledProcessTests EventSourcingTests.ZombieTests
# What keeps both of a small machine's processors busy: others would miss their deadlines beside it.
BUSY := OrderPipelineTests.RebuildTests
# Which tests `make tsan` runs; all of the client's, in parts, when it is empty.
TSAN_FILTER ?=
# The parts in which the client's tests run: the first letters of their suites. The last part is whatever is left.
CLIENT_TESTS := A-B C-E F-O P-R S ^A-S
# How many tests may run at a time, since Swift 6.3: the threads of many clients at once keep a small machine so busy that what
# waits for a broker misses its deadline.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 16
# What `swift format` looks at. Build folders are hidden and so left out.
SWIFT_SOURCES := Package.swift Sources Tests $(wildcard Benchmarks/Package.swift Benchmarks/Sources)

help: ## Says what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: dependencies ## Replays real orders through the pipeline and checks every total. Needs nothing but Swift.
	@swift build --configuration release --product order-pipeline
	@"$$(swift build --configuration release --show-bin-path)/order-pipeline" replay $(EXCERPT) --verify

test: dependencies ## Runs all tests, against KSTREAM_BOOTSTRAP_SERVERS where it is set.
	@swift build --build-tests
	@# Before Swift 6.3 a process begins all of its tests at once: so they go in parts, by their suites' names.
	@for part in $(CLIENT_TESTS); do \
	    .ci/swift-test --filter "KafkaClientTests\.[$$part]" --skip KafkaClientTests.FaultTests; \
	done
	@.ci/swift-test --filter KafkaClientTests.FaultTests
	@for suite in $(KILLED_SERVICES) $(KILLED_PROCESSES) $(BUSY); do \
	    .ci/swift-test --filter "$$suite"; \
	done
	@.ci/swift-test --filter EventSourcingTests $(KILLED_PROCESSES:%=--skip %)
	@.ci/swift-test --skip 'KafkaClientTests|EventSourcingTests|$(KILLED_SERVICES)|$(BUSY)'

faults: dependencies ## Kills members, services and processes, stops nodes and loses answers under load, and counts what came of it.
	@swift build --build-tests
	@KSTREAM_FAULT_SECONDS=$(FAULT_SECONDS) .ci/swift-test --filter KafkaClientTests.FaultTests
	@KSTREAM_KILLS=$$(($(KILLS) / 2)) .ci/swift-test --filter $(KILLED_SERVICES)
	@for suite in $(KILLED_PROCESSES); do \
	    KSTREAM_KILLS=$(KILLS) .ci/swift-test --filter "$$suite"; \
	done

tsan: dependencies ## Runs the client's tests under the thread sanitizer. TSAN_FILTER picks some of them.
	@# Tests that fail here, but not without the sanitizer, may have missed a deadline: all is several times slower. Since
	@# Swift 6.3 few can run at a time.
	@KSTREAM_TSAN=1 swift build --build-tests --sanitize thread --scratch-path .build-tsan
	@rm -rf .build-tsan/reports && mkdir .build-tsan/reports
	@failed=0; \
	for tests in $(if $(TSAN_FILTER),'$(TSAN_FILTER)',$(CLIENT_TESTS:%='KafkaClientTests\.[%]')); do \
	    TSAN_OPTIONS="log_path=$(CURDIR)/.build-tsan/reports/report $${TSAN_OPTIONS:-}" \
	        SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 \
	        KSTREAM_TSAN=1 KSTREAM_FAULT_SECONDS=$${KSTREAM_FAULT_SECONDS:-2} \
	        .ci/swift-test --sanitize thread --scratch-path .build-tsan --filter "$$tests" || failed=1; \
	done; \
	if compgen -G '.build-tsan/reports/*' >/dev/null; then cat .build-tsan/reports/*; exit 1; fi; \
	echo "The thread sanitizer has nothing to report."; \
	if [ $$failed = 1 ]; then echo "make tsan: but tests failed, see above" >&2; exit 1; fi

conformance: ## Runs the suites of clients that others wrote. KSTREAM_BOOTSTRAP_SERVERS names another broker.
	@# A broker that is given, or a program, is taken as it is; otherwise the release build is what is tested.
	@if [ -z "$${KSTREAM_BOOTSTRAP_SERVERS:-}" ] && [ -z "$${KSTREAM_BINARY:-}" ]; then \
	    $(MAKE) --no-print-directory dependencies; \
	    for product in kstream order-pipeline; do swift build --configuration release --product $$product; done; \
	fi
	@.ci/conformance

fuzz: dependencies ## Throws spoilt requests at the embedded broker, for an hour unless FUZZ_SECONDS says otherwise.
	@swift build --build-tests
	@KSTREAM_FUZZ_SECONDS=$(FUZZ_SECONDS) .ci/swift-test --filter EmbeddedKafkaTests.FuzzTests

lint: lint-swift lint-scripts ## Checks the format of the Swift code, and that the shell scripts parse.

lint-swift:
	@swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

lint-scripts:
	@for script in .ci/run .ci/packages .ci/dependencies .ci/swift-test .ci/conformance Docker/up Docker/down Docker/*.sh; do bash -n "$$script"; done

schemas: dependencies ## Says whether Schemas can be read by what reads those of SCHEMAS_BASE. SCHEMAS_MODE is backward, forward or full.
	@swift build --configuration release --product schema-compatibility
	@old=$$(mktemp -d); trap 'rm -rf "$$old"' EXIT; \
	git archive "$(SCHEMAS_BASE)" Schemas | tar -x -C "$$old"; \
	"$$(swift build --configuration release --show-bin-path)/schema-compatibility" \
	    "$$old/Schemas" Schemas --mode $(SCHEMAS_MODE)

build: dependencies ## Builds everything in release; a warning in our own code is an error.
	@KSTREAM_STRICT=1 swift build --configuration release

bench: ## Measures the client against C in the same run. FORMAT=json prints one object a line.
	@$(MAKE) --no-print-directory dependencies >&2
	@swift build --configuration release --package-path Benchmarks --product kstream-bench >&2
	@"$$(swift build --configuration release --package-path Benchmarks --show-bin-path)/kstream-bench" --format $(FORMAT)

docker-up: ## Starts an Apache Kafka node in a container and waits until it is ready.
	@Docker/up

docker-down: ## Stops that node and removes its data.
	@Docker/down

clean: ## Removes what was built.
	@rm -rf .build .build-tsan Benchmarks/.build

dependencies:
	@.ci/dependencies

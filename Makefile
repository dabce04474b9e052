# The commands of this checkout, so that nobody has to know how its parts are built. Nothing here touches a running server
# except `install`, which says each thing it does.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test bench torture generate dist install

export CARGO_TARGET_DIR := $(CURDIR)/target
extension := $(CURDIR)/target/fast/libhalt_tracker.so
examples := $(CURDIR)/target/debug/examples
# `make demo ONCE=1` ends by itself.
export ONCE

help: ## This list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: ## A private WordPress beside a simulated Tracker, with submissions on their way; ONCE=1 ends by itself
	tests/install-packages.sh
	cargo build --lib --profile fast
	cargo build --no-default-features --example tracker-sim --example demo
	cargo run -q --no-default-features --example demo -- --extension $(extension) --sim $(examples)/tracker-sim

test: ## Everything that is checked before a release
	tests/install-packages.sh --browser
	tests/run-all.sh

bench: ## How fast a form is accepted and delivered, beside a plain table in MariaDB and bare requests
	tests/install-packages.sh
	cargo build --lib --profile fast
	cargo build --no-default-features --example tracker-sim
	cargo run -q --no-default-features --example bench -- --extension $(extension) --sim $(examples)/tracker-sim

torture: ## Longer and rarer checks; tools that are missing are installed
	tests/install-packages.sh
	tests/torture.sh

generate: ## Writes the plugin's and the documents' tables from the engine's, and the texts for translators
	cargo run -q --no-default-features --example generate
	php tests/pot.php

dist: ## Release build of the extension and halt-tracker.zip, in target/dist
	cargo build --lib --release
	tests/dist.sh

install: ## Puts the extension into this machine's PHP, and the plugin into WP=/path/to/wordpress if given
	cargo build --lib --release
	tests/install.sh "$(CURDIR)/target/release/libhalt_tracker.so" "$(WP)"

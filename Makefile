# `make demo` and `make test` do all set-up by themselves; `make help` names the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PEERS := .cache/peers
DEMO_ARGS ?=
PYTEST_ARGS ?=
# Most of the time of most tests is waiting: for a group to form, for a process to end.
IN_PARALLEL ?= --numprocesses 4 --dist loadfile --no-loadscope-reorder
# Each process starts a Kafka of its own.
ON_KAFKA ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder
BENCH_ARGS ?=
SECONDS ?= 60
FUZZ_ARGS ?=
QUALITY_ARGS ?=
SEEDS ?= 1-8
BROKER ?= embedded
CAMPAIGN_ARGS ?=

# Each of hundreds of processes would compile anew what it imports, each process of pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-kafka campaign fuzz check format bench quality install readme docs settings-docs features-docs metrics-docs rules-schema dashboard constraints clean

help:  ## Name every target.
	@sed -n 's/^\([a-z-]*\):.*## /  \1 — /p' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt scripts/environment.sh
	@sh scripts/environment.sh "$(PYTHON)" $(VENV)

# A folder that was copied, or a Python that is gone, leaves an environment that must be made anew.
ifneq ($(shell $(BIN)/python -c '' 2>/dev/null && cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif

install: $(INSTALLED)  ## Install Lapwing and its dependencies into .venv.

demo: $(INSTALLED)  ## Run the whole system on an embedded broker and watch warnings come (DEMO_ARGS="--serve").
	@$(BIN)/lapwing demo $(DEMO_ARGS)

test: $(INSTALLED)  ## Run the tests on the embedded broker; PostgreSQL's too where it can be had.
	@$(BIN)/python -m scripts.postgres fetch || echo "PostgreSQL's tests will be skipped"
	@$(BIN)/python -m scripts.amtool fetch || echo "The comparison with amtool will be skipped"
	@$(BIN)/python -m scripts.prometheus fetch || echo "The tests on a real Prometheus will be skipped"
	@$(BIN)/python -m scripts.chromium fetch || echo "The tests of the desk in a browser will be skipped"
	@$(BIN)/python -m scripts.printing fetch || echo "The tests of PDFs will be skipped"
	@$(BIN)/python -m scripts.registry fetch || echo "The test on a real schema registry will be skipped"
	$(BIN)/pytest $(IN_PARALLEL) $(PYTEST_ARGS)

test-kafka: $(INSTALLED)  ## Run the broker's tests on a real Apache Kafka, which is fetched and started.
	@$(BIN)/python -m scripts.kafka fetch
	@$(BIN)/python -m scripts.chromium fetch || echo "The tests of the desk in a browser will be skipped"
	$(BIN)/pytest -m kafka --broker kafka $(ON_KAFKA) $(PYTEST_ARGS)

campaign: $(INSTALLED)  ## Let workers, broker, disk and database fail by seed, against a replay (SEEDS="1-8" BROKER=kafka).
	@[ $(BROKER) = embedded ] || $(BIN)/python -m scripts.kafka fetch
	@$(BIN)/python -m tests.faults $(SEEDS) --broker $(BROKER) $(CAMPAIGN_ARGS)

fuzz: $(INSTALLED)  ## Look for input that ends a process, SECONDS for each target (FUZZ_ARGS="rules model").
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(FUZZ_ARGS)

check: $(INSTALLED)  ## Format, lint and strict types; the database's migrations; the rules' own lint and test cases; the site.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -p streams -p consumers -p lapwing -p tests -p scripts -p benchmarks
	$(BIN)/python -m scripts.migrations
	$(BIN)/lapwing rules check --strict warning_rules
	$(BIN)/lapwing rules test
	$(BIN)/python -m scripts.site

format: $(INSTALLED)  ## Format the code and fix what ruff can fix.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	@touch $@

bench: $(INSTALLED) $(PEERS)/.installed  ## Measure events a second (BENCH_ARGS="throughput --customers 1000000").
	@$(BIN)/python -m scripts.kafka fetch || echo "no Apache Kafka here: use the embedded broker with BENCH_ARGS='throughput --broker embedded'"
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

readme: $(INSTALLED)  ## Write what the commands in README.md print.
	$(BIN)/python -m scripts.console README.md

quality: $(INSTALLED)  ## Judge the model against LightGBM on real histories (QUALITY_ARGS="--data FOLDER --seeds 1,2").
	$(BIN)/python -m benchmarks.quality $(QUALITY_ARGS)

docs: $(INSTALLED)  ## Build the documentation as a site in .cache/site; a warning is an error.
	$(BIN)/python -m scripts.site

settings-docs: $(INSTALLED)  ## Write docs/settings.md from the fields.
	$(BIN)/python -m lapwing.settings.page > docs/settings.md

rules-schema: $(INSTALLED)  ## Write the JSON Schemas of rule and case files from the code.
	$(BIN)/lapwing rules schema --out warning_rules

dashboard: $(INSTALLED)  ## Write Grafana's dashboard from scripts/dashboard.py.
	@$(BIN)/python -m scripts.dashboard

metrics-docs: $(INSTALLED)  ## Write docs/metrics.md from the metrics of all processes.
	$(BIN)/python -m lapwing.metrics_page > docs/metrics.md

features-docs: $(INSTALLED)  ## Write docs/features.md from the catalogue.
	$(BIN)/python -m lapwing.features_page > docs/features.md

constraints:  ## Write constraints.txt anew from the newest versions that fit.
	rm -rf .cache/constraints && $(PYTHON) -m venv .cache/constraints
	.cache/constraints/bin/pip install --quiet --disable-pip-version-check -e '.[demo,desk,dev,oidc,postgres,registry,report,s3,xlsx]'
	{ sed -n '/^#/p' constraints.txt; .cache/constraints/bin/pip freeze --exclude-editable | LC_ALL=C sort -f; } > .cache/constraints.txt
	mv .cache/constraints.txt constraints.txt && rm -rf .cache/constraints

clean:  ## Remove what make made: the environment, caches, the downloaded Kafka.
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target is one line. PYTHON= names the interpreter to use, PORT= moves the demo, ONCE=1 plays its day and ends,
# TESTS= narrows `make test` to some paths of the suite, SEED= repeats `make faults`, UPGRADE=1 lets `make lock` take newer
# versions.
.PHONY: demo test faults lint types contracts install clean lock

demo:      ; @sh scripts/python.sh scripts/install.py demo && exec .venv/bin/counterpart demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))
test:      ; @sh scripts/python.sh scripts/install.py test && exec .venv/bin/python scripts/check.py all $(TESTS)
faults:    ; @sh scripts/python.sh scripts/install.py test && exec .venv/bin/python scripts/faults.py $(SEED)
lint:      ; @sh scripts/python.sh scripts/install.py test && exec .venv/bin/python scripts/check.py lint
types:     ; @sh scripts/python.sh scripts/install.py test && exec .venv/bin/python scripts/check.py types
contracts: ; @sh scripts/python.sh scripts/install.py test && exec .venv/bin/python scripts/check.py contracts
install:   ; @sh scripts/python.sh scripts/install.py demo
lock:      ; @sh scripts/python.sh scripts/install.py test && UPGRADE=$(UPGRADE) exec sh scripts/lock.sh
clean:     ; @rm -rf .venv .demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* build dist

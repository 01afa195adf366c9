# fourier: `make` alone prints what there is.
help:
	@echo "make play | check | deps | build | bench | doc | install | clean"

check:
	cargo test --workspace

.PHONY: help check

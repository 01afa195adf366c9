# fourier: H.264 with the V4L2 stateless uAPI. `make` alone prints what there is.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
FILE ?= tests/media/counter.mp4

CARGO ?= cargo
TARGET = $(or $(CARGO_TARGET_DIR),target)
PLUGIN = $(TARGET)/release/libgstfourier.so
VA_DRIVER = $(TARGET)/release/libfourier_drv_video.so
VA_SYMLINKS ?=

help:
	@echo "make play [FILE=movie.mp4]  decode a file: mp4, mov, mkv, webm, ts, flv or a bare H.264 stream"
	@echo "make check                  formatting, lints, documentation and every test"
	@echo "make check-kernel [ALL=1]   the tests on a real kernel: Linux in user mode, with the virtual decoder visl"
	@echo "make kernel                 builds that kernel, which check-kernel does too, and prints where it is"
	@echo "make kernel-shell           a shell in that kernel"
	@echo "make soak                   what takes longer: thousands of damaged streams and inputs"
	@echo "make fuzz [MINUTES=10]      a fuzzer on each law of tests/src/laws; installs cargo-fuzz"
	@echo "make races                  ThreadSanitizer on core and the driver; takes the nightly compiler"
	@echo "make deps                   install the Debian packages that are missing"
	@echo "make build                  the release build: $(PLUGIN), $(VA_DRIVER)"
	@echo "make bench [BEFORE=COMMIT]  frames per second and memory, side by side with other decoders and with before"
	@echo "make doc                    documentation of the code, in $(TARGET)/doc"
	@echo "make install                the plugin into \$$(DESTDIR)\$$(LIBDIR)/gstreamer-1.0, the driver into .../dri,"
	@echo "                            found by itself for the DRM drivers of VA_SYMLINKS=\"rockchip panfrost ...\""
	@echo "                            (PREFIX=$(PREFIX) LIBDIR=$(LIBDIR))"
	@echo "make clean                  remove everything that was built"

deps:
	@scripts/deps

deps-build:
	@scripts/deps build

build: deps-build
	@scripts/fetch
	$(CARGO) build --release --locked --package gst-plugin-fourier --package fourier-va-driver

# By the environment: a shell would read the quotes in the name of a film.
play: export PLUGIN := $(PLUGIN)
play: export FILE := $(FILE)
play: build
	@scripts/play

check: deps
	@scripts/check

soak: deps
	@scripts/soak

fuzz:
	@scripts/deps fuzz
	@scripts/fuzz $(or $(MINUTES),10)

races: deps
	@scripts/races

kernel: deps-kernel
	@tests/kernel/build

check-kernel: deps-kernel
	@tests/kernel/check $(if $(ALL),--all)

kernel-shell: deps-kernel
	@tests/kernel/shell

deps-kernel:
	@scripts/deps kernel

bench: deps build
	$(if $(BEFORE),@scripts/bench-of $(BEFORE))
	$(CARGO) run --release --locked --package fourier-tests --bin bench$(if $(BEFORE), -- --before target/before/release/bench)
	$(CARGO) bench --locked --package fourier-tests

doc: deps
	@scripts/fetch
	$(CARGO) doc --locked --workspace --no-deps

# Not after `build`: `sudo make install` must not need a Rust toolchain.
install:
	@test -f '$(PLUGIN)' -a -f '$(VA_DRIVER)' || { echo 'run `make build` first' >&2; exit 1; }
	install -D -m 644 '$(PLUGIN)' '$(DESTDIR)$(LIBDIR)/gstreamer-1.0/libgstfourier.so'
	install -D -m 644 '$(VA_DRIVER)' '$(DESTDIR)$(LIBDIR)/dri/fourier_drv_video.so'
	@for name in $(VA_SYMLINKS); do \
		ln -sfv fourier_drv_video.so '$(DESTDIR)$(LIBDIR)/dri/'"$$name"_drv_video.so; \
	done

clean:
	$(CARGO) clean

.PHONY: help deps deps-build deps-kernel kernel build play check check-kernel kernel-shell soak fuzz races bench doc install clean

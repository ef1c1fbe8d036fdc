# Makefile - builds fer and fer64, with their libraries.
#
#   make             fer, fer64, libfer.{a,so}, libfer64.{a,so}
#   make plain       build/plain/fer and fer64: the plain loops of layers/ without layers/fast/
#   make run         trains on drawn faces, evaluates, writes a page: no data needed, about two minutes
#   make test        all tests
#   make sanitize    the C tests under address, undefined and leak checkers; make valgrind: under valgrind's memcheck
#   make fuzz        the readers under libFuzzer, a minute each (clang)
#   make portability the same bits by every compiler, emulated processor and number of threads to be had here: half an hour
#   make accuracy    how far exp and log are from the truth, over all floats and many doubles (gcc on x86; minutes)
#   make vectors     makes tests/vectors anew (needs python3-torch)
#   make twin        twenty training steps against PyTorch in float64 (needs python3-torch)
#   make fingerprint writes model/check/fingerprint_expected.c anew: only after a change that is meant to change results
#   make bench       times a training step, layer by layer, at sizes 48 and 128; make speed: turn about with PyTorch
#   make install     PREFIX (/usr/local) and DESTDIR as usual
#
#   NATIVE=0 leaves out -march=native (for packages): slower, the same bits. OPENMP= leaves out threads: the same bits.

CC      ?= cc
AR      ?= ar
CFLAGS  ?= -O3
PREFIX  ?= /usr/local
NATIVE  ?= 1
VERSION := $(shell sed -n 's/^.define FER_VERSION "\(.*\)"/\1/p' fer.h)

# Whether the compiler takes a flag and links with it.
takes = $(shell echo 'int main(void) { return 0; }' > .probe.c; $(CC) $(1) .probe.c -o .probe.out >/dev/null 2>&1 && echo $(1); rm -f .probe.c .probe.out)

OPENMP  := $(call takes,-fopenmp)
FLAGS   := -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wno-unknown-pragmas $(call takes,-ffp-contract=off) $(OPENMP) -fPIC -I.
ifeq ($(NATIVE),1)
# Rows of the tile are copied 32 bytes at a time: a twentieth faster.
FLAGS   += $(call takes,-march=native) $(call takes,-mmove-max=256)
endif

SOURCES := $(wildcard layers/*.c layers/*/*.c model/*.c model/*/*.c data/*.c data/*/*.c)
OBJECTS := $(SOURCES:%.c=build/32/%.o)
OBJECTS64 := $(SOURCES:%.c=build/64/%.o)
TESTS   := $(wildcard tests/test_*.c) tests/main.c tests/plain.c tests/backend.c

all: fer fer64 libfer.a libfer.so libfer64.a libfer64.so

fer: build/32/fer.o libfer.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
fer64: build/64/fer.o libfer64.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
libfer.a: $(OBJECTS)
	rm -f $@; $(AR) rcs $@ $^
libfer64.a: $(OBJECTS64)
	rm -f $@; $(AR) rcs $@ $^
libfer.so: $(OBJECTS)
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) -shared -Wl,-soname,libfer.so.0 $^ -lm -o $@
libfer64.so: $(OBJECTS64)
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) -shared -Wl,-soname,libfer64.so.0 $^ -lm -o $@

# The plain loops of layers/ in place of layers/fast/: the same bits, slower.
plain: build/plain/fer build/plain/fer64
build/plain/fer: build/plain/32/fer.o $(SOURCES:%.c=build/plain/32/%.o)
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/plain/fer64: build/plain/64/fer.o $(SOURCES:%.c=build/plain/64/%.o)
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@

build/plain/32/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(FLAGS) -DFER_PLAIN -MMD -c $< -o $@
build/plain/64/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(FLAGS) -DFER_PLAIN -DFER_DOUBLE -MMD -c $< -o $@
build/32/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(FLAGS) -MMD -c $< -o $@
build/64/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(FLAGS) -DFER_DOUBLE -MMD -c $< -o $@
-include $(shell find build -name '*.d' 2>/dev/null)

# ---- running ----

run: fer
	rm -rf run-of-drawn-faces
	./fer train --size 48 --batch 16 --epochs 7 --out run-of-drawn-faces
	./fer eval run-of-drawn-faces
	./fer report run-of-drawn-faces

bench: fer
	./fer bench --size 48
	./fer bench --size 128

# ---- testing ----

build/test: $(TESTS:%.c=build/32/%.o) libfer.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/test64: $(TESTS:%.c=build/64/%.o) libfer64.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/npz_cat: build/32/tests/npz_cat.o libfer.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/npz_cat64: build/64/tests/npz_cat.o libfer64.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/example_gradcheck build/example_layer: build/example_%: build/64/tests/examples/%.o libfer64.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/order: build/32/tests/order.o libfer.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/broken: build/32/fer.o build/32/tests/broken_relu.o libfer.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@
build/steps64: build/64/tests/steps.o libfer64.a
	$(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@

test: all plain build/test build/test64 build/npz_cat build/npz_cat64 build/example_gradcheck build/example_layer build/order build/broken
	sh tests/run.sh

SANITIZE := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
sanitize:
	@mkdir -p build tests/tmp
	$(CC) $(FLAGS) $(SANITIZE) $(TESTS) $(SOURCES) -lm -o build/sanitize32
	$(CC) $(FLAGS) $(SANITIZE) -DFER_DOUBLE $(TESTS) $(SOURCES) -lm -o build/sanitize64
	build/sanitize32
	build/sanitize64

valgrind: fer
	rm -rf build/valgrind
	@mkdir -p build tests/tmp
	$(CC) -std=c99 -g -O1 -Wno-unknown-pragmas fer.c $(SOURCES) -lm -o build/fer-valgrind
	valgrind -q --error-exitcode=1 --leak-check=full build/fer-valgrind train --data tests/tiny.csv --size 48 --batch 4 --epochs 1 --out build/valgrind
	valgrind -q --error-exitcode=1 --leak-check=full build/fer-valgrind eval build/valgrind --usage Training

FUZZ_SECONDS ?= 60
fuzz:
	@mkdir -p build/corpus
	for reader in npz csv pgm log; do \
	    clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined -Wno-unknown-pragmas -I. -Itests tests/fuzz_$$reader.c data/*.c data/*/*.c layers/numbers/*.c -lm \
	        -o build/fuzz_$$reader && mkdir -p build/corpus/$$reader && \
	    build/fuzz_$$reader -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -print_final_stats=1 build/corpus/$$reader || exit 1; \
	done

portability: fer
	sh tests/portability.sh

accuracy:
	@mkdir -p build
	gcc -std=gnu99 -O2 -ffp-contract=off -Wall -Wextra -I. tests/accuracy.c layers/numbers/exp_log.c layers/numbers/random.c -lquadmath -lm -o build/accuracy
	build/accuracy

PYTHON ?= python3
vectors:
	$(PYTHON) tests/vectors.py
twin: build/steps64
	build/steps64 - 48 32 20 0 build/steps.npz
	$(PYTHON) tests/twin.py build/steps.npz

# The comment and the rows of both programs side by side; the first line of each names the build.
fingerprint: fer fer64
	./fer fingerprint | tail -n +2 > build/fingerprint32
	./fer64 fingerprint | tail -n +2 > build/fingerprint64
	{ echo '/* fingerprint_expected.c - made by `make fingerprint`: each stage of fingerprint.c, its digest in float32 and in float64. */'; \
	  echo '#include "../model.h"'; echo; \
	  echo 'const struct fer_fingerprint_row fer_fingerprint_expected[] = {'; \
	  paste -d ' ' build/fingerprint32 build/fingerprint64 | awk '{ printf "    {\"%s\", 0x%s, 0x%s},\n", $$1, $$2, $$4 }'; \
	  echo '};'; \
	  echo 'const int fer_fingerprint_rows = sizeof fer_fingerprint_expected / sizeof *fer_fingerprint_expected;'; \
	} > build/fingerprint_expected.c
	mv build/fingerprint_expected.c model/check/fingerprint_expected.c

speed: fer fer64
	$(PYTHON) tests/speed.py

# ---- installing ----

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install fer fer64 $(DESTDIR)$(PREFIX)/bin
	install -m 644 fer.h $(DESTDIR)$(PREFIX)/include
	install -m 644 libfer.a libfer64.a $(DESTDIR)$(PREFIX)/lib
	install libfer.so $(DESTDIR)$(PREFIX)/lib/libfer.so.0
	install libfer64.so $(DESTDIR)$(PREFIX)/lib/libfer64.so.0
	ln -sf libfer.so.0 $(DESTDIR)$(PREFIX)/lib/libfer.so
	ln -sf libfer64.so.0 $(DESTDIR)$(PREFIX)/lib/libfer64.so
	printf 'Name: fer\nDescription: numerical ground truth for training a convolutional network, float32\nVersion: $(VERSION)\nCflags: -I$(PREFIX)/include\nLibs: -L$(PREFIX)/lib -lfer\nLibs.private: -lm $(OPENMP)\n' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/fer.pc
	printf 'Name: fer64\nDescription: numerical ground truth for training a convolutional network, float64\nVersion: $(VERSION)\nCflags: -I$(PREFIX)/include -DFER_DOUBLE\nLibs: -L$(PREFIX)/lib -lfer64\nLibs.private: -lm $(OPENMP)\n' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/fer64.pc

clean:
	rm -rf build fer fer64 libfer.a libfer.so libfer64.a libfer64.so tests/tmp

.PHONY: all plain run bench speed test sanitize valgrind fuzz vectors twin fingerprint portability accuracy install clean

# Makefile - builds fer and fer64, with their libraries. `make help` lists what else it does.
#
# CC may be gcc, clang, musl-gcc or tcc. NATIVE=0 leaves out -march=native (for packages): the same bits.
# OPENMP= leaves out threads: the same bits. Run `make clean` before you change one of them. But for the programs and
# libraries themselves, all that is built, and all that tests write, lies in build/.

CC      ?= cc
AR      ?= ar
CFLAGS  ?= -O3
PREFIX  ?= /usr/local
PYTHON  ?= python3
NATIVE  ?= 1
VERSION := $(shell sed -n 's/^.define FER_VERSION "\(.*\)"/\1/p' fer.h)

# $(call takes,FLAG) is the flag if the compiler compiles and links with it; $(call runs,FLAG) if threads then work.
try   = mkdir -p build; p=build/try.$$$$; echo 'int omp_get_max_threads(void); int main(void) { return $(2); }' | \
        $(CC) $(1) -x c - -o $$p > $$p.log 2>&1 $(3) && echo $(1); rm -f $$p $$p.log
takes = $(shell $(call try,$(1),0))
runs  = $(shell $(call try,$(1),omp_get_max_threads() < 1,&& $$p 2> $$p.log))

OPENMP  := $(call runs,-fopenmp)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wno-unknown-pragmas
FLAGS   := -std=c99 $(WARN) $(call takes,-ffp-contract=off) $(call takes,-fvisibility=hidden) $(OPENMP) -fPIC -I.
ifeq ($(NATIVE),1)
# Rows of the tile are copied 32 bytes at a time: a twentieth faster.
FLAGS   += $(call takes,-march=native) $(call takes,-mmove-max=256)
endif
COMPILE  = mkdir -p $(@D) && $(CC) $(CFLAGS) $(FLAGS) -MD -c $< -o $@
LINK     = $(CC) $(CFLAGS) $(FLAGS) $(LDFLAGS) $^ -lm -o $@

SOURCES := $(wildcard layers/*.c layers/*/*.c model/*.c model/*/*.c data/*.c data/*/*.c)
OBJECTS := $(SOURCES:%.c=build/32/%.o)
OBJECTS64 := $(SOURCES:%.c=build/64/%.o)
TESTS   := $(wildcard tests/test_*.c) tests/main.c tests/plain.c tests/backend.c
PRODUCTS := fer fer64 libfer.a libfer.so libfer64.a libfer64.so
PROGRAMS := build/test build/npz_cat build/order build/broken build/cases_c
PROGRAMS64 := build/test64 build/keras_parameters64 build/npz_cat64 build/steps64 build/slopes64 build/slope_cases64 build/mistakes64 build/example_gradcheck build/example_layer

all: $(PRODUCTS) ## fer, fer64 and their libraries; what make does when nothing is asked for

help: ## this list
	@sed -n "s/^\([a-z-]*\):.*## \(.*\)/make \1@\2/p" Makefile | awk -F @ '{ printf "%-18s %s\n", $$1, $$2 }'

# ---- building ----

build/32/%.o: %.c
	$(COMPILE)
build/64/%.o: %.c
	$(COMPILE) -DFER_DOUBLE
build/plain/32/%.o: %.c
	$(COMPILE) -DFER_PLAIN
build/plain/64/%.o: %.c
	$(COMPILE) -DFER_PLAIN -DFER_DOUBLE
-include $(shell find build -name '*.d' 2> /dev/null)
%.h: ; # one that is gone makes what included it anew

libfer.a: $(OBJECTS)
libfer64.a: $(OBJECTS64)
libfer.a libfer64.a:
	rm -f $@; $(AR) rcs $@ $^

libfer.so: $(OBJECTS)
libfer64.so: $(OBJECTS64)
libfer.so libfer64.so:
	$(LINK) -shared -Wl,-soname,$@.0

# Objects first, then the library that they take from.
fer: build/32/fer.o
fer64: build/64/fer.o
build/test: $(TESTS:%.c=build/32/%.o)
build/test64: $(TESTS:%.c=build/64/%.o)
build/npz_cat: build/32/tests/npz_cat.o
build/npz_cat64: build/64/tests/npz_cat.o
build/order: build/32/tests/order.o
build/broken: build/32/fer.o build/32/tests/broken_relu.o
build/cases_c: build/32/tests/examples/cases_c.o
build/keras_parameters64: build/64/tests/keras_parameters.o
build/steps64: build/64/tests/steps.o
build/slopes64: build/64/tests/slopes.o
build/slope_cases64: build/64/tests/slope_cases.o
build/mistakes64: build/64/tests/mistakes.o
build/example_gradcheck build/example_layer: build/example_%: build/64/tests/examples/%.o
fer $(PROGRAMS): libfer.a
fer64 $(PROGRAMS64): libfer64.a
fer fer64 $(PROGRAMS) $(PROGRAMS64):
	$(LINK)

plain: build/plain/fer build/plain/fer64 ## build/plain/fer and fer64: the loops of layers/ without layers/fast/; slower, the same bits
build/plain/fer: $(SOURCES:%.c=build/plain/32/%.o) build/plain/32/fer.o
build/plain/fer64: $(SOURCES:%.c=build/plain/64/%.o) build/plain/64/fer.o
build/plain/fer build/plain/fer64:
	$(LINK)

# ---- running ----

run: fer ## train on drawn faces, evaluate, write a page: no data needed, about two minutes
	rm -rf run-of-drawn-faces
	./fer train --size 48 --batch 16 --epochs 7 --out run-of-drawn-faces
	./fer eval run-of-drawn-faces
	./fer report run-of-drawn-faces

bench: fer ## time a training step, layer by layer, at sizes 48 and 128
	./fer bench --size 48
	./fer bench --size 128

speed: fer fer64 ## time training steps in turn with PyTorch's and others'
	$(PYTHON) tests/speed.py

# ---- testing ----

test: all plain $(PROGRAMS) $(PROGRAMS64) ## all tests; T=conv2d: only those whose name has conv2d in it
	sh tests/run.sh $(T)

check-layout: all ## imports run one way, and no two files of a folder call each other in a circle
	sh tests/layout.sh

SANITIZE := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
sanitize: ## the C tests under the address, undefined behaviour and leak sanitizers
	@mkdir -p build
	$(CC) $(FLAGS) $(SANITIZE) $(TESTS) $(SOURCES) -lm -o build/sanitize32
	$(CC) $(FLAGS) $(SANITIZE) -DFER_DOUBLE $(TESTS) $(SOURCES) -lm -o build/sanitize64
	build/sanitize32
	build/sanitize64

valgrind: ## one epoch of training, and an evaluation, under valgrind's memcheck
	@mkdir -p build && rm -rf build/valgrind
	$(CC) -std=c99 -g -O1 -Wno-unknown-pragmas fer.c $(SOURCES) -lm -o build/fer-valgrind
	valgrind -q --error-exitcode=1 --leak-check=full build/fer-valgrind train --data tests/tiny.csv --size 48 --batch 4 --epochs 1 --out build/valgrind
	valgrind -q --error-exitcode=1 --leak-check=full build/fer-valgrind eval build/valgrind --usage Training

FUZZ_SECONDS ?= 60
fuzz: ## the file readers under libFuzzer, FUZZ_SECONDS=60 each (clang)
	for reader in npz csv pgm png log keras; do \
	    mkdir -p build/corpus/$$reader && \
	    clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined -Wno-unknown-pragmas -I. -Itests tests/fuzz_$$reader.c \
	        $(SOURCES) -lm -o build/fuzz_$$reader && \
	    build/fuzz_$$reader -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -print_final_stats=1 build/corpus/$$reader || exit 1; \
	done

mutate: build/test build/test64 ## change the code in thousands of ways, one at a time: does a test fail? FILES="layers/relu.c": of these; hours
	$(PYTHON) tests/mutate.py $(FILES)

portability: fer ## the same bits by every compiler, emulated processor and thread count to be had here: half an hour
	sh tests/portability.sh

engines: all ## real engines run networks and verify judges them: installs many gigabytes, hours (ROWS="openvino ncnn": these alone)
	$(PYTHON) tests/engines/run_engines.py $(ROWS)
conventions: all ## measure what libraries compute anew and write model/check/CONVENTIONS.md (ROWS as above)
	$(PYTHON) tests/engines/run_conventions.py $(ROWS)

accuracy: ## how far exp and log are from the truth: all floats, many doubles (gcc on x86; minutes)
	@mkdir -p build
	gcc -std=gnu99 -O2 -ffp-contract=off -Wall -Wextra -I. tests/accuracy.c layers/numbers/exp_log.c layers/numbers/random.c -lquadmath -lm -o build/accuracy
	build/accuracy

SLOPES ?= 0 100
slopes: build/slopes64 ## how often the gradient check is wrong, over many small networks (SLOPES="FIRST COUNT", seeds)
	OMP_NUM_THREADS=1 build/slopes64 $(SLOPES)
twin: fer64 build/steps64 ## twenty training steps of four networks against PyTorch in float64 (python3-torch)
	$(PYTHON) tests/twin.py ./fer64 build/steps64 48 32 20 - tests/twins/*.json

# ---- expected values ----

vectors: ## make tests/vectors anew (python3-torch)
	$(PYTHON) tests/vectors.py

# The comment and the rows of both programs side by side; the first line of each names the build.
fingerprint: fer fer64 ## make model/check/fingerprint_expected.c anew: only after a change that is meant to change results
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

# ---- installing ----

# Made of the help texts. Where ./fer cannot run (it was built for another machine) there is none.
build/fer.1: fer install/man.awk
	@mkdir -p build; rm -f $@
	if ./fer > $@.text; then \
	    for command in $$(sed -n 's/^  \([a-z]*\) .*/\1/p' $@.text); do ./fer help $$command >> $@.text || exit 1; done; \
	    awk -v version=$(VERSION) -f install/man.awk $@.text > $@; \
	fi

D := $(DESTDIR)$(PREFIX)
COMPLETIONS := share/bash-completion/completions
install: all build/fer.1 ## PREFIX=/usr/local and DESTDIR as usual
	install -d "$D/bin" "$D/include" "$D/lib/pkgconfig" "$D/share/man/man1" "$D/$(COMPLETIONS)"
	install -m 644 install/completion.bash "$D/$(COMPLETIONS)/fer"
	ln -sf fer "$D/$(COMPLETIONS)/fer64"
	! test -e build/fer.1 || { install -m 644 build/fer.1 "$D/share/man/man1" && ln -sf fer.1 "$D/share/man/man1/fer64.1"; }
	install fer fer64 "$D/bin"
	install -m 644 fer.h "$D/include"
	install -m 644 libfer.a libfer64.a "$D/lib"
	for name in fer fer64; do \
	    install lib$$name.so "$D/lib/lib$$name.so.0" && ln -sf lib$$name.so.0 "$D/lib/lib$$name.so" || exit 1; \
	    [ $$name = fer ] && bits=32 define= || bits=64 define=' -DFER_DOUBLE'; \
	    printf '%s\n' "Name: $$name" "Description: numerical ground truth for training a convolutional network, float$$bits" \
	        'Version: $(VERSION)' "Cflags: -I$(PREFIX)/include$$define" "Libs: -L$(PREFIX)/lib -l$$name" \
	        'Libs.private: -lm $(OPENMP)' > "$D/lib/pkgconfig/$$name.pc" || exit 1; \
	done

uninstall: ## remove what make install put there, and folders that are then empty
	cd "$D" && rm -f bin/fer bin/fer64 include/fer.h lib/libfer.a lib/libfer64.a lib/libfer.so lib/libfer64.so \
	    lib/libfer.so.0 lib/libfer64.so.0 lib/pkgconfig/fer.pc lib/pkgconfig/fer64.pc \
	    share/man/man1/fer.1 share/man/man1/fer64.1 $(COMPLETIONS)/fer $(COMPLETIONS)/fer64
	cd "$(DESTDIR)/" && for folder in lib/pkgconfig include bin share/man/man1 $(COMPLETIONS); do rmdir -p ".$(PREFIX)/$$folder" 2> /dev/null || true; done

clean: ## remove all that was built
	rm -rf build $(PRODUCTS)

.PHONY: all help plain run bench speed test check-layout sanitize valgrind fuzz mutate portability engines conventions accuracy twin vectors fingerprint \
        install uninstall clean

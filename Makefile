# balancerd. One Makefile, no configure step.
#
#   make            builds the programs into out/
#   make demo       shows the main job at work (installs what is missing)
#   make test       everything that must pass (installs what is missing)
#   make check      the quick part: unit tests, tidy, layers
#   make bench | fuzz | analyze | cover | install | clean
#
# Variants live in folders of their own: make SAN=address,undefined, make CC=clang,
# make SAN=thread. Each is out-<name>/.

SAN     ?=
ifeq ($(origin CC),default)
CC      := gcc
endif
comma   := ,
variant := $(if $(SAN),-$(firstword $(subst $(comma), ,$(SAN))))$(if $(filter-out gcc cc,$(notdir $(CC))),-$(notdir $(CC)))$(if $(COVER),-cover)
OUT     ?= out$(variant)

PACKAGES  := libxxhash
PKGCFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKGLIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-align -Wwrite-strings \
	-Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Wundef -Wvla \
	-Wformat=2 -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Isrc $(WARN) -fno-strict-aliasing -fvisibility=hidden \
	-pthread $(PKGCFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(LDFLAGS)
LIBS := $(PKGLIBS)
ifneq ($(SAN),)
ALL_CFLAGS  += -fsanitize=$(SAN) -fno-omit-frame-pointer -O1
ALL_LDFLAGS += -fsanitize=$(SAN)
ifneq ($(filter undefined,$(subst $(comma), ,$(SAN))),)
ALL_CFLAGS  += -fno-sanitize-recover=undefined
endif
endif
ifneq ($(COVER),)
ALL_CFLAGS  += --coverage -O0
ALL_LDFLAGS += --coverage
endif

# What each program is made of beyond the library: its folder with main().
SOURCES  := $(sort $(wildcard src/*/*.c))
MAINS    := src/daemon/main.c src/origin/main.c
LIBRARY  := $(OUT)/libbalancerd.a
LIB_OBJ  := $(patsubst src/%.c,$(OUT)/obj/%.o,$(filter-out $(MAINS),$(SOURCES)))
PROGRAMS := $(OUT)/balancerd $(OUT)/origin

.PHONY: all programs
all: programs
programs: $(PROGRAMS)

$(OUT)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/balancerd: $(OUT)/obj/daemon/main.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/origin: $(OUT)/obj/origin/main.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# Unit tests: one program per source file, test/unit mirrors src.
UNIT_SOURCES := $(sort $(wildcard test/unit/*/*_test.c))
UNIT_TESTS   := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(UNIT_SOURCES))

$(OUT)/unit/%: test/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itest -MMD -MP $< $(LIBRARY) $(ALL_LDFLAGS) $(LIBS) -lcmocka -lm -o $@

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do echo "== $$t"; $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf out out-*

-include $(LIB_OBJ:.o=.d) $(OUT)/obj/daemon/main.d $(OUT)/obj/origin/main.d $(addsuffix .d,$(UNIT_TESTS))

# Fuzzing: test/fuzz/NAME_fuzz.c states properties, test/fuzz/NAME.dict helps to find
# words (optional), test/fuzz/corpus/NAME keeps inputs. `make fuzz` searches for
# FUZZ_SECONDS each (clang, libFuzzer) and writes what it finds to out-fuzz/;
# `make fuzz-replay` only runs the kept inputs, with any compiler.
FUZZ_SECONDS ?= 60
FUZZ_NAMES   := $(patsubst test/fuzz/%_fuzz.c,%,$(sort $(wildcard test/fuzz/*_fuzz.c)))
FUZZ_OUT     := out-fuzz
FUZZ_CC      := clang
FUZZ_CFLAGS  := $(filter-out -fsanitize=% --coverage,$(ALL_CFLAGS)) -O1 \
	-fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_OBJ     := $(patsubst $(OUT)/obj/%,$(FUZZ_OUT)/obj/%,$(LIB_OBJ))
REPLAYS      := $(addprefix $(OUT)/fuzz/,$(FUZZ_NAMES))

$(FUZZ_OUT)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

$(FUZZ_OUT)/libbalancerd.a: $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(FUZZ_OUT)/%: test/fuzz/%_fuzz.c $(FUZZ_OUT)/libbalancerd.a
	$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -MMD -MP $< \
		$(FUZZ_OUT)/libbalancerd.a $(LIBS) -o $@

$(OUT)/fuzz/%: test/fuzz/%_fuzz.c test/fuzz/replay.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $< test/fuzz/replay.c $(LIBRARY) $(ALL_LDFLAGS) $(LIBS) -o $@

.PHONY: fuzz fuzz-replay
fuzz: $(addprefix $(FUZZ_OUT)/,$(FUZZ_NAMES))
	@for name in $(FUZZ_NAMES); do \
		echo "== $$name, $(FUZZ_SECONDS) s"; \
		mkdir -p $(FUZZ_OUT)/corpus/$$name; \
		$(FUZZ_OUT)/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
			-verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_OUT)/$$name- \
			$$(test ! -f test/fuzz/$$name.dict || \
				echo -dict=test/fuzz/$$name.dict) \
			$(FUZZ_OUT)/corpus/$$name test/fuzz/corpus/$$name || exit 1; \
	done

fuzz-replay: $(REPLAYS)
	@for name in $(FUZZ_NAMES); do \
		$(OUT)/fuzz/$$name test/fuzz/corpus/$$name || exit 1; \
	done

-include $(FUZZ_OBJ:.o=.d) $(addprefix $(FUZZ_OUT)/,$(addsuffix .d,$(FUZZ_NAMES)))

# balancerd. One Makefile, no configure step.
#
#   make              builds the programs into out/
#   make demo         shows the main job at work (installs what is missing)
#   make test         everything that must pass (installs what is missing)
#   make check        the quick part: tidy, layers, unit tests
#   make unit | e2e | fuzz | fuzz-replay       one part alone
#   make bench        haproxy, nginx and nutcracker beside balancerd: doc/benchmarks.md
#   make bench-hashing    spread, disruption and cost of policies by key: doc/hashing.md
#   make plot-hashing     draws the shares of policies by key: doc/hashing-shares.svg
#   make bench-store      a worker's table of ten million entries: doc/kv-store.md
#   make bench-ledger     a worker's data on disk, beside LMDB: doc/kv-store.md
#   make kv-memory    the life of the memory, measured anew: doc/kv-memory.svg
#   make analyze      gcc -fanalyzer, clang-tidy, cppcheck
#   make cover        which lines the tests reach
#   make build        container images: balancerd and balancerd-sample; BASE=...
#   make run | stop   the balancer from its image, PORT=5000: doc/docker.md
#   make clean-images removes what those two have made
#   make deb          packages for Debian: out/deb/
#   make install      into $(DESTDIR)$(PREFIX), for packages; ./install.sh for people
#   make page         the page of the control interface, anew; `make` makes it too
#   make picture      takes doc/pictures/page.png
#   make clean
#
# Variants live in folders of their own: make SAN=address,undefined, make CC=clang,
# make SAN=thread. Each is out-<name>/. Every target above works for every variant.
#
# Options: PAGE=no leaves the page out, and its tests; demo DEMO_SECONDS=12 KEEP=1;
# bench ROUNDS=5 SECONDS=4 ONLY=small,kv.

SAN     ?=
ifeq ($(origin CC),default)
CC      := gcc
endif
comma   := ,
variant := $(if $(SAN),-$(firstword $(subst $(comma), ,$(SAN))))
variant := $(variant)$(if $(filter-out gcc cc,$(notdir $(CC))),-$(notdir $(CC)))
variant := $(variant)$(if $(COVER),-cover)
OUT     ?= out$(variant)

PACKAGES  := libxxhash jansson libcrypto libcurl libcares
PKGCFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKGLIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# kv-client alone reads lines from people.
CLIENT_PACKAGES := libedit
CLIENT_LIBS     := $(shell pkg-config --libs $(CLIENT_PACKAGES) 2>/dev/null)
PKGCFLAGS       += $(shell pkg-config --cflags $(CLIENT_PACKAGES) 2>/dev/null)

# balancerctl alone draws on terminals, in `top`.
SCREEN_PACKAGES := ncursesw
SCREEN_LIBS     := $(shell pkg-config --libs $(SCREEN_PACKAGES) 2>/dev/null)
PKGCFLAGS       += $(shell pkg-config --cflags-only-I $(SCREEN_PACKAGES) 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-align -Wwrite-strings \
	-Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Wundef -Wvla \
	-Wformat=2 -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Isrc $(WARN) -fno-strict-aliasing \
	-fvisibility=hidden -pthread $(PKGCFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(LDFLAGS)
LIBS := $(PKGLIBS) -lresolv
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

# One short line for each step; make V=1 shows the commands.
SAY := $(if $(V),@:,@echo)
DO  := $(if $(V),,@)

# What each program is made of beyond the library: its folder with main().
SOURCES  := $(sort $(wildcard src/*/*.c))
MAINS    := src/daemon/main.c src/ctl/main.c src/origin/main.c src/store/main.c src/client/main.c
LIBRARY  := $(OUT)/libbalancerd.a
LIB_OBJ  := $(patsubst src/%.c,$(OUT)/obj/%.o,$(filter-out $(MAINS),$(SOURCES)))
PROGRAMS := $(OUT)/balancerd $(OUT)/balancerctl $(OUT)/origin $(OUT)/kv-worker $(OUT)/kv-client

.PHONY: all programs libraries
all: programs
programs: $(PROGRAMS)

# Says what is missing before the compiler says it in its own words.
libraries:
	@pkg-config --exists $(PACKAGES) $(CLIENT_PACKAGES) $(SCREEN_PACKAGES) || { \
		echo "missing: $(PACKAGES) $(CLIENT_PACKAGES) $(SCREEN_PACKAGES)." \
			"Please run: tools/install-deps build" >&2; \
		exit 1; }

$(OUT)/obj/%.o: src/%.c | libraries
	@mkdir -p $(@D)
	$(SAY) "  cc    $<"
	$(DO)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(LIB_OBJ)
	$(SAY) "  ar    $@"
	@rm -f $@
	$(DO)ar rcs $@ $^

# The page of the control interface, made of web/ and put into the program. Without
# Node.js and npm the program is built without it, and says so. PAGE=no leaves it out,
# PAGE=FILE takes what another build has made of it (out/page/files.c). What is there
# decides, so that it is made anew when that changes.
PAGE       ?= yes
PAGE_OUT   := $(OUT)/page
PAGE_NODE  := $(if $(shell command -v node && command -v npm),node,no-node)
PAGE_MEANS := $(PAGE_OUT)/by-$(if $(filter yes,$(PAGE)),$(PAGE_NODE),$(subst /,-,$(PAGE)))
PAGE_FROM  := $(filter-out yes no,$(PAGE))

$(PAGE_MEANS):
	@mkdir -p $(PAGE_OUT)
	@rm -f $(PAGE_OUT)/by-*
	@touch $@

$(PAGE_OUT)/files.c: $(or $(PAGE_FROM),$(wildcard web/*.*) tools/page) $(PAGE_MEANS)
	$(SAY) "  page  $(or $(PAGE_FROM),$(if $(filter no,$(PAGE)),left out,web/))"
	$(DO)$(if $(PAGE_FROM),cp $(PAGE_FROM) $@,tools/page $(PAGE) $(PAGE_OUT))

$(PAGE_OUT)/files.o: $(PAGE_OUT)/files.c src/control/pages.h | libraries
	$(SAY) "  cc    $<"
	$(DO)$(CC) $(ALL_CFLAGS) -c $< -o $@

.PHONY: page
page:
	@rm -f $(PAGE_OUT)/files.c
	+@$(MAKE) --no-print-directory $(PAGE_OUT)/files.c

$(OUT)/balancerd: $(OUT)/obj/daemon/main.o $(PAGE_OUT)/files.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/balancerctl: $(OUT)/obj/ctl/main.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) $(SCREEN_LIBS) -o $@

$(OUT)/origin: $(OUT)/obj/origin/main.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# The sample server: origin once more, alone in its image, so it is linked statically.
# It resolves no names, which is what static programs cannot do well. Sanitizers and
# coverage cannot be linked so; their variants take it from the plain one's objects.
SAMPLE := $(OUT)/sample/server
.PHONY: sample
sample: $(SAMPLE)
ifeq ($(SAN)$(COVER),)
$(SAMPLE): $(OUT)/obj/origin/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) -static -s $^ -o $@
else
$(SAMPLE): FORCE
	+@$(MAKE) --no-print-directory SAN= COVER= OUT=$(OUT)/plain $(OUT)/plain/sample/server
	@mkdir -p $(@D)
	@cp $(OUT)/plain/sample/server $@
.PHONY: FORCE
FORCE:
endif

$(OUT)/kv-worker: $(OUT)/obj/store/main.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/kv-client: $(OUT)/obj/client/main.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) $(CLIENT_LIBS) -o $@

# Unit tests: one program per source file, test/unit mirrors src.
UNIT_SOURCES := $(sort $(wildcard test/unit/*/*_test.c))
UNIT_TESTS   := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(UNIT_SOURCES))

$(OUT)/unit/ctl/%: LIBS += $(SCREEN_LIBS)
$(OUT)/unit/%: test/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  test  $<"
	$(DO)$(CC) $(ALL_CFLAGS) -Itest -MMD -MP $< $(LIBRARY) $(ALL_LDFLAGS) $(LIBS) \
		-lcmocka -lm -o $@

# What loads the proxies of `make bench`.
PUMP := $(wildcard test/bench/pump/*.[ch])

$(OUT)/bench/pump: $(PUMP) $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_CFLAGS) $(filter %.c,$^) $(LIBRARY) $(ALL_LDFLAGS) $(LIBS) -o $@

$(OUT)/bench/hashing: test/bench/hashing.c $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_CFLAGS) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

$(OUT)/bench/store: test/bench/store.c $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_CFLAGS) $^ $(ALL_LDFLAGS) $(LIBS) -o $@

$(OUT)/bench/ledger: test/bench/ledger.c $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_CFLAGS) $^ $(ALL_LDFLAGS) $(LIBS) -llmdb -o $@

# Container images. tools/image says what the variables mean.
.PHONY: build run stop clean-images
build run stop:
	@tools/image $@
clean-images:
	@tools/image clean

# Parts of `make test`. run-tests runs them one after the other, counts what passed
# and says so in its last line. What has to be installed first may decide how the
# programs are built, so each target that installs starts make anew.
AGAIN     := $(MAKE) --no-print-directory -j$(shell nproc)
RUN_TESTS := tools/run-tests --out $(OUT) --make '$(MAKE)' $(if $(filter no,$(PAGE)),--no-page)

.PHONY: unit-tests unit e2e check test
unit-tests: $(UNIT_TESTS)

unit: unit-tests
	@$(RUN_TESTS) unit

e2e: programs sample
	@$(RUN_TESTS) e2e

check: unit-tests
	@$(RUN_TESTS) tidy layers unit

# Where what the page is tested with cannot be had, its tests say so, and fail.
test:
	@tools/install-deps test
	@tools/page test-$(PAGE) $(PAGE_OUT) || true
	+@$(AGAIN) programs sample unit-tests
	+@$(RUN_TESTS) tidy layers unit page fuzz-replay e2e

# Shown, measured, looked through.
DEMO_SECONDS ?= 12
ROUNDS       ?= 5
SECONDS      ?= 4

.PHONY: demo bench bench-hashing plot-hashing bench-store bench-ledger kv-memory
demo:
	@tools/install-deps demo
	+@$(AGAIN) programs
	@tools/demo --out $(OUT) --seconds $(DEMO_SECONDS) $(if $(KEEP),--keep)

bench:
	@tools/install-deps bench
	+@$(AGAIN) programs $(OUT)/bench/pump
	@test/bench/bench.py --out $(OUT) --rounds $(ROUNDS) --seconds $(SECONDS) \
		$(if $(ONLY),--only $(ONLY))

bench-hashing: $(OUT)/bench/hashing
	@$<

plot-hashing: $(OUT)/bench/hashing
	@$< shares | test/bench/plot_hashing.py >doc/hashing-shares.svg

bench-store: $(OUT)/bench/store
	@$<

bench-ledger:
	@tools/install-deps bench
	+@$(AGAIN) $(OUT)/bench/ledger
	@$(OUT)/bench/ledger $(OUT)/bench

# Needs Chromium (tools/install-deps test), and five minutes, which are what it shows.
PICTURE_SECONDS ?= 300
.PHONY: picture
picture: programs
	@tools/page test-yes $(PAGE_OUT)
	@BALANCERD_OUT=$(OUT) /usr/bin/python3 test/e2e/picture.py \
		--seconds $(PICTURE_SECONDS) doc/pictures/page.png

kv-memory: programs
	@BALANCERD_OUT=$(OUT) KV_MEMORY_SVG=$(CURDIR)/doc/kv-memory.svg \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider test/e2e/test_kv_memory.py

# Each of the three sees what the others do not. .clang-tidy says what is asked of it;
# null dereferences are left to it, gcc 12 finds them where there are none, and so
# does cppcheck with out parameters.
.PHONY: analyze analyze-gcc analyze-clang analyze-cppcheck
analyze:
	@tools/install-deps analyze
	+@$(MAKE) --no-print-directory analyze-gcc analyze-clang analyze-cppcheck
analyze-gcc:
	+@$(AGAIN) OUT=out-analyze CC=gcc \
		CFLAGS='-O0 -g -fanalyzer -Wno-analyzer-null-dereference' programs
analyze-clang:
	clang-tidy --quiet $(SOURCES) -- -std=gnu17 -D_GNU_SOURCE -Isrc $(PKGCFLAGS)
analyze-cppcheck: # reads no headers of libraries, so it is told what their loops are
	cppcheck --quiet --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --suppress=ctuuninitvar \
		--error-exitcode=1 \
		-D'json_array_foreach(a,i,v)=while (next_element(a, &i, &v))' \
		-D'json_object_foreach(o,k,v)=while (next_member(o, &k, &v))' \
		-D_GNU_SOURCE -D__linux__ -D__x86_64__ -D__SSE2__ -Isrc src

.PHONY: cover
cover:
	@tools/install-deps test
	@find out-cover -name '*.gcda' -delete 2>/dev/null || true
	+@$(AGAIN) COVER=1 programs sample unit-tests
	+@$(MAKE) --no-print-directory COVER=1 unit e2e
	@tools/coverage out-cover

# Where things go. install.sh installs with this and remembers what; packages use it
# alone. SYSTEMD=no leaves the units out.
PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
SYSTEMD    ?= yes
MADE       := $(OUT)/install

# Source : mode : place below PREFIX
INSTALLED := \
	$(OUT)/balancerd:755:sbin/balancerd \
	$(OUT)/balancerctl:755:bin/balancerctl \
	$(OUT)/origin:755:bin/origin \
	$(OUT)/kv-worker:755:bin/kv-worker \
	$(OUT)/kv-client:755:bin/kv-client \
	$(foreach page,$(wildcard doc/*.[1-8]),\
		$(page):644:share/man/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))) \
	$(MADE)/balancerctl.bash:644:share/bash-completion/completions/balancerctl \
	$(MADE)/balancerctl.zsh:644:share/zsh/site-functions/_balancerctl \
	$(MADE)/balancerctl.fish:644:share/fish/vendor_completions.d/balancerctl.fish \
	$(MADE)/balancerd.conf:644:share/doc/balancerd/balancerd.conf
ifneq ($(SYSTEMD),no)
INSTALLED += \
	$(MADE)/balancerd.service:644:lib/systemd/system/balancerd.service \
	$(MADE)/balancerd@.service:644:lib/systemd/system/balancerd@.service \
	$(MADE)/kv-worker@.service:644:lib/systemd/system/kv-worker@.service \
	packaging/balancerd.sysusers:644:lib/sysusers.d/balancerd.conf
endif

# What is packaged, with the places it is installed in.
PLACES := -e 's|/usr/local|$(PREFIX)|g' -e 's|/etc/balancerd|$(SYSCONFDIR)/balancerd|g'

.PHONY: install install-list
install: programs
	@mkdir -p $(MADE)
	@$(OUT)/balancerctl completion bash >$(MADE)/balancerctl.bash
	@$(OUT)/balancerctl completion zsh >$(MADE)/balancerctl.zsh
	@$(OUT)/balancerctl completion fish >$(MADE)/balancerctl.fish
	@for name in balancerd.conf balancerd.service kv-worker@.service; do \
		sed $(PLACES) packaging/$$name >$(MADE)/$$name; \
	done
	@sed -e '1,/^$$/d' -e 's|default|%i|g' -e 's|/balancerd\.conf|/%i.conf|' \
		-e 's|a load balancer|& (%i)|' \
		$(MADE)/balancerd.service >$(MADE)/balancerd@.service
	@for one in $(INSTALLED); do \
		echo "$$one" | { \
			IFS=: read -r source mode place; \
			install -D -m "$$mode" "$$source" "$(DESTDIR)$(PREFIX)/$$place"; \
		} || exit 1; \
	done

install-list:
	@printf '%s\n' $(foreach one,$(INSTALLED),$(lastword $(subst :, ,$(one))))

.PHONY: deb
DEB := out/deb
deb:
	@tools/install-deps deb
	+@$(MAKE) --no-print-directory $(PAGE_OUT)/files.c
	@rm -rf $(DEB) && mkdir -p $(DEB)/source
	@git ls-files -z | xargs -0 cp --parents -t $(DEB)/source
	@cp -r packaging/debian $(DEB)/source/debian
	@cp $(PAGE_OUT)/files.c $(DEB)/source/page.c
	cd $(DEB)/source && dpkg-buildpackage -us -uc -b
	lintian --fail-on error,warning $(DEB)/*.deb

.PHONY: clean
clean:
	rm -rf out out-*

-include $(SOURCES:src/%.c=$(OUT)/obj/%.d) $(addsuffix .d,$(UNIT_TESTS))

# Fuzzing: test/fuzz/NAME_fuzz.c states properties, test/fuzz/NAME.dict helps to find
# words (optional), test/fuzz/corpus/NAME keeps inputs. `make fuzz` searches for
# FUZZ_SECONDS each (clang, libFuzzer) and writes what it finds to out-fuzz/;
# `make fuzz-replay` only runs the kept inputs, with any compiler and variant.
FUZZ_SECONDS ?= 60
FUZZ_NAMES   := $(patsubst test/fuzz/%_fuzz.c,%,$(sort $(wildcard test/fuzz/*_fuzz.c)))
FUZZ_OUT     := out-fuzz
FUZZ_CC      := clang
FUZZ_CFLAGS  := $(filter-out -fsanitize=% --coverage,$(ALL_CFLAGS)) -O1 \
	-fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_SAN     := address,undefined
FUZZ_OBJ     := $(patsubst $(OUT)/obj/%,$(FUZZ_OUT)/obj/%,$(LIB_OBJ))
FUZZERS      := $(addprefix $(FUZZ_OUT)/,$(FUZZ_NAMES))
REPLAYS      := $(addprefix $(OUT)/fuzz/,$(FUZZ_NAMES))

$(FUZZ_OUT)/obj/%.o: src/%.c | libraries
	@mkdir -p $(@D)
	$(SAY) "  fuzz  $<"
	$(DO)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SAN) -MMD -MP \
		-c $< -o $@

$(FUZZ_OUT)/libbalancerd.a: $(FUZZ_OBJ)
	$(SAY) "  ar    $@"
	@rm -f $@
	$(DO)ar rcs $@ $^

$(FUZZERS): $(FUZZ_OUT)/%: test/fuzz/%_fuzz.c $(FUZZ_OUT)/libbalancerd.a
	$(SAY) "  link  $@"
	$(DO)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer,$(FUZZ_SAN) -MMD -MP $< \
		$(FUZZ_OUT)/libbalancerd.a $(LIBS) -o $@

# Two steps, because a compiler that is given two sources keeps the .d of one.
$(OUT)/fuzz/obj/%.o: test/fuzz/%.c | libraries
	@mkdir -p $(@D)
	$(SAY) "  cc    $<"
	$(DO)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(REPLAYS): $(OUT)/fuzz/%: $(OUT)/fuzz/obj/%_fuzz.o $(OUT)/fuzz/obj/replay.o $(LIBRARY)
	$(SAY) "  link  $@"
	$(DO)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

.PHONY: fuzz fuzzers fuzz-replay
fuzzers: $(FUZZERS)

fuzz:
	@tools/install-deps fuzz
	+@$(AGAIN) fuzzers
	@for name in $(FUZZ_NAMES); do \
		echo "== $$name, $(FUZZ_SECONDS) s"; \
		mkdir -p $(FUZZ_OUT)/corpus/$$name; \
		dict=test/fuzz/$$name.dict; \
		$(FUZZ_OUT)/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
			-verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_OUT)/$$name- \
			$$(test ! -f $$dict || echo -dict=$$dict) \
			$(FUZZ_OUT)/corpus/$$name test/fuzz/corpus/$$name || exit 1; \
	done

fuzz-replay: $(REPLAYS)
	@for name in $(FUZZ_NAMES); do \
		$(OUT)/fuzz/$$name test/fuzz/corpus/$$name || exit 1; \
	done

-include $(FUZZ_OBJ:.o=.d) $(FUZZERS:=.d)
-include $(FUZZ_NAMES:%=$(OUT)/fuzz/obj/%_fuzz.d) $(OUT)/fuzz/obj/replay.d

# ipambridge - one Makefile for everything.  Targets are listed by "make help".
#
# Objects go to build/CC-SAN/, so compilers and sanitizers do not disturb each other:
#	make                            the program, build/gcc/ipambridge
#	make CC=clang SAN=address,undefined check

SHELL   := /bin/bash
.SHELLFLAGS := -o pipefail -c
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
SAN     ?=
DESTDIR ?=
PREFIX  ?= /usr/local
VERSION := 0.1.0
PYTHON  ?= /usr/bin/python3

comma   := ,
B       := build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
GEN     := build/gen

PKGS    := ldns libpq jansson libcurl libevent libmnl libconfuse smartcols libcrypto
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
           -Wimplicit-fallthrough -Wundef -Wwrite-strings -Wpointer-arith
# Flags a compiler may lack are tried one by one, once per build directory.
PROBE   := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
           -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fno-strict-overflow \
           -fzero-call-used-regs=used-gpr
LDPROBE := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed

-include $(B)/flags.mk

BASE    := -std=gnu11 -g -fno-common -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(GEN)
ifeq ($(SAN),)
OPT     := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE $(HARDEN)
LDOPT   := -pie $(LDHARDEN)
else
OPT     := -O1 -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDOPT   := -fsanitize=$(SAN)
endif
CFLAGS  += $(BASE) $(OPT) $(WARN) $(WERROR) $(EXTRA_CFLAGS)
LDFLAGS += $(LDOPT)
LIBS    := $(PKG_LIBS)

all_c   := $(wildcard bridge/*/*.c adapters/*.c adapters/*/*.c)
base_io := bridge/base/log.c bridge/base/clock.c bridge/base/spool.c bridge/base/replace.c
pure_c  := $(filter-out $(base_io), \
             $(wildcard bridge/base/*.c bridge/value/*.c bridge/core/*.c))
decode_c := $(wildcard adapters/*/*_decode.c)
rest_c  := $(filter-out $(pure_c) $(decode_c) bridge/cli/main.c,$(all_c)) $(GEN)/sql.c
obj      = $(patsubst %.c,$(B)/%.o,$(1))
LIBSET   = $(B)/librest.a $(B)/libdecode.a $(B)/libpure.a

.PHONY: all
all: $(B)/ipambridge

$(B)/flags.mk: Makefile
	@mkdir -p $(@D)
	@ok() { echo 'int main(void){return 0;}' | $(CC) -Werror "$$@" -x c - -o /dev/null 2>/dev/null; }; \
	{ printf 'HARDEN :='; for f in $(PROBE); do ok $$f && printf ' %s' $$f; done; echo; \
	  printf 'LDHARDEN :='; for f in $(LDPROBE); do ok $$f && printf ' %s' $$f; done; echo; \
	  printf 'PKG_CFLAGS := '; pkg-config --cflags $(PKGS); \
	  printf 'PKG_LIBS := '; pkg-config --libs $(PKGS); } > $@

# ---- generated: the SQL of schema/ as C strings -------------------------------------------
sql_files := $(sort $(wildcard schema/*.sql)) $(sort $(wildcard schema/query/*.sql))
$(GEN)/sql.c $(GEN)/sql.h &: $(sql_files) tests/embed-sql.sh
	@mkdir -p $(GEN)
	tests/embed-sql.sh $(GEN) $(sql_files)

$(B)/%.o: %.c $(B)/flags.mk | $(GEN)/sql.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libpure.a: $(call obj,$(pure_c))
$(B)/libdecode.a: $(call obj,$(decode_c))
$(B)/librest.a: $(call obj,$(rest_c))
$(B)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/ipambridge: $(call obj,bridge/cli/main.c) $(LIBSET)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- unit tests: one program per file, cmocka ----------------------------------------------
unit_c   := $(wildcard tests/unit/test_*.c)
unit_bin := $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_c))
sim_c    := $(filter-out tests/sim/sim.c tests/sim/differential.c,$(wildcard tests/sim/*.c))
sim_obj  := $(call obj,$(sim_c))
TEST_CC   = $(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP $(LDFLAGS)

# Tests of the simulation's own parts link them; the others see only the program's libraries.
sim_unit := model memstore observe ptr_words pull push_round
$(sim_unit:%=$(B)/unit/test_%): $(sim_obj)
$(B)/unit/test_nomem: LDFLAGS += $(file <tests/unit/test_nomem.flags)
$(B)/unit/%: tests/unit/%.c $(LIBSET) | $(GEN)/sql.h
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $(filter %.c %.o,$^) $(LIBSET) -lcmocka $(LIBS)

# ---- simulation and the differential test ---------------------------------------------------
$(B)/sim $(B)/differential: $(B)/%: $(B)/tests/sim/%.o $(sim_obj) $(LIBSET)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- tests that need a database -------------------------------------------------------------
DB_TESTS := pg_test store_test sending_test live_test
$(DB_TESTS:%=$(B)/%): $(B)/%: tests/integration/%.c $(LIBSET)
	$(TEST_CC) -o $@ $< $(LIBSET) -lcmocka $(LIBS)

# An adapter alone, for tests that start what it listens to.
$(B)/source_reader: tests/integration/source_reader.c $(LIBSET)
	$(TEST_CC) -o $@ $< $(LIBSET) $(LIBS)

# ---- fuzz targets: clang's libFuzzer --------------------------------------------------------
FUZZ_RUNS ?= 200000
FB       := build/fuzz
fuzz_bin := $(patsubst tests/fuzz/%.c,$(FB)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_lib_c := $(pure_c) $(decode_c) $(wildcard bridge/dns/*.c) $(base_io)
$(FB)/%.o: %.c
	@mkdir -p $(@D)
	clang $(BASE) $(WARN) $(FUZZ_FLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<
$(FB)/fuzz_%: tests/fuzz/fuzz_%.c $(patsubst %.c,$(FB)/%.o,$(fuzz_lib_c))
	@mkdir -p $(@D)
	clang $(BASE) $(WARN) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$(PKG_CFLAGS) -o $@ $^ $(LIBS)

-include $(shell test -d $(B) && find $(B) $(FB) -name '*.d' 2>/dev/null)

# ---- checks ---------------------------------------------------------------------------------
.PHONY: unit properties sim sim-million check check-truth check-layers check-pure check-banned
.PHONY: check-man check-shell integration differential faults two-sides fuzz ci analyze
.PHONY: bench bench-live bench-reconcile demo demo-once install clean
.PHONY: help format-check

unit: $(unit_bin)
	tests/run-units.sh $(B)/unit

# Random states of owners and names, each tried against what must hold for all.
STATES ?= 5000000
properties: $(B)/unit/test_properties
	PROPERTY_STATES=$(STATES) $(B)/unit/test_properties

# The decisions alone: which of their branches no unit test takes, and which small change of them
# none notices (SAMPLE=n tries n of them).
CORE_TESTS := classless core decide gate identity naming nomem policy properties push_state restored \
	storm verdict verdict_table
.PHONY: coverage coverage-run mutate
coverage:
	$(MAKE) B=build/coverage OPT='-O0 --coverage' LDOPT=--coverage coverage-run
coverage-run: $(CORE_TESTS:%=$(B)/unit/test_%)
	tests/coverage $(B) $^
mutate: $(B)/libpure.a
	tests/mutate --build $(B) $(if $(SAMPLE),--sample $(SAMPLE))

SIM_SEEDS ?= 200
SIM_FROM  ?= 1
SIM_SHOW  ?= tail -n 20
sim: $(B)/sim
	half=$$(( $(SIM_SEEDS) / 2 )); \
	( $(B)/sim -s $(SIM_FROM) -n $$half | $(SIM_SHOW) ) & \
	$(B)/sim -s $$(( $(SIM_FROM) + half )) -n $$(( $(SIM_SEEDS) - half )) | $(SIM_SHOW) && wait $$!
	@mkdir -p build/results && echo "$(SIM_SEEDS) 0" > build/results/sim-$(notdir $(B)).count

# The simulation's independent model calls nothing that the bridge decides with.
truth_obj := $(call obj,$(wildcard tests/sim/truth*.c))
decides   := belief brake brakes compare decide delta dhcid flow gate identity intake naming observe \
	plan planner policy ptr push recall restored storm verdict
check-truth: $(truth_obj)
	! nm -u $^ | grep -E ' U ($(subst $(eval ) ,|,$(decides)))_'

# About an hour and a half.  A seed that fails is shown at once, with the command that replays it.
sim-million:
	$(MAKE) SIM_SEEDS=1000000 SIM_SHOW=cat sim

check-layers:
	tests/check-layers.sh

check-pure: $(B)/libpure.a
	tests/check-pure.sh $(B)/libpure.a tests/pure-symbols.txt

check-banned: $(B)/ipambridge
	tests/check-banned.sh $(B)/ipambridge

check-man:
	for m in contrib/man/*; do mandoc -T lint -W warning $$m || exit 1; done

check-shell:
	shellcheck -x contrib/bootstrap contrib/servers contrib/local-postgres contrib/render \
		contrib/demo/demo contrib/demo/*.sh contrib/powerdns/*.sh \
		contrib/kea/ipambridge-hook tests/*.sh .ci/run

# The layers and the symbols are of the plain build; a sanitizer's own would drown them.
PLAIN := $(if $(SAN),,check-pure check-banned)
check: $(B)/ipambridge check-layers check-truth $(PLAIN) check-man check-shell unit sim

integration: $(B)/ipambridge $(DB_TESTS:%=$(B)/%) $(B)/differential $(B)/source_reader
	IPAMBRIDGE_BIN=$(abspath $(B)/ipambridge) IPAMBRIDGE_BUILD=$(abspath $(B)) \
		tests/run-integration.sh

# The daemon with real servers and whatever may go wrong: SEED=n replays.  CI runs 200 cycles.
CYCLES ?= 2000
FAULTS_ON  ?= bind
faults: $(B)/ipambridge
	IPAMBRIDGE_BIN=$(abspath $(B)/ipambridge) tests/faults/run --cycles $(CYCLES) --make $(FAULTS_ON) \
		$(if $(SEED),--seed $(SEED)) --verbose

# People, Kea's D2 and the daemon on the same zones.
BUSY_S ?= 90
two-sides: $(B)/ipambridge
	eval "$$(contrib/servers env)"; IPAMBRIDGE_BIN=$(abspath $(B)/ipambridge) TWO_SIDES_S=$(BUSY_S) \
		TWO_SIDES_SEED=$(or $(SEED),1) /usr/bin/python3 -m pytest -q -n 2 --tb=short \
		-p no:cacheprovider tests/integration/test_two_sides.py

fuzz: $(fuzz_bin)
	tests/run-fuzz.sh $(FB) $(FUZZ_RUNS)

# Leaks are LeakSanitizer's to find: cppcheck does not know the cleanup attribute.
analyze:
	cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppress=missingInclude --suppress=missingIncludeSystem --suppress=memleak \
		--suppress=resourceLeak --suppress=internalAstError -I. -I$(GEN) -D_GNU_SOURCE \
		-j $$(nproc) bridge adapters
	$(MAKE) CC=clang WERROR=-Werror build-only
	$(MAKE) CC=gcc WERROR=-Werror B=build/gcc-werror build-only

.PHONY: build-only
build-only: $(B)/ipambridge

# What CI adds to "contrib/bootstrap check": the sanitizer build of everything, fuzzing, static
# analysis, a longer simulation, every branch of core.
ci_steps := analyze sanitized fuzz sim-20000 properties coverage
.PHONY: sanitized sim-20000 ci-steps
sanitized:
	$(MAKE) CC=clang SAN=address,undefined SIM_SEEDS=100 unit sim
	$(MAKE) CC=clang SAN=address,undefined integration
sim-20000:
	$(MAKE) SIM_SEEDS=20000 sim
ci-steps:
	@echo $(ci_steps)

ci: check integration $(ci_steps)

bench: $(B)/ipambridge
	tests/bench/run

# In a network namespace of its own, where Kea may answer perfdhcp.
LIVE    ?= live
in_netns = unshare $(if $(filter 0,$(shell id -u)),,-r) -n sh -c \
	'ip link set lo up && exec tests/bench/run $(1)'
bench-live: $(B)/ipambridge
	$(call in_netns,$(LIVE))

# SIZES="10000 100000" for some of them, BENCH_FLAGS=--markdown for a table of the README.
bench-reconcile: $(B)/ipambridge
	$(call in_netns,$(BENCH_FLAGS) reconcile)

demo: $(B)/ipambridge
	contrib/demo/demo up
demo-once: $(B)/ipambridge
	contrib/demo/demo once

install: $(B)/ipambridge
	install -D -m 755 $(B)/ipambridge $(DESTDIR)$(PREFIX)/bin/ipambridge
	install -d $(DESTDIR)$(PREFIX)/share/ipambridge/schema
	install -m 644 $(wildcard schema/*.sql) $(DESTDIR)$(PREFIX)/share/ipambridge/schema
	install -D -m 644 contrib/man/ipambridge.1 $(DESTDIR)$(PREFIX)/share/man/man1/ipambridge.1
	install -D -m 644 contrib/man/ipambridge.conf.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/ipambridge.conf.5
	install -D -m 644 contrib/man/ipambridge-messages.7 \
		$(DESTDIR)$(PREFIX)/share/man/man7/ipambridge-messages.7
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for u in $(notdir $(wildcard contrib/systemd/*.service contrib/systemd/*.timer)); do \
		sed 's|/usr/bin/ipambridge|$(PREFIX)/bin/ipambridge|' contrib/systemd/$$u \
			> $(DESTDIR)$(PREFIX)/lib/systemd/system/$$u || exit 1; \
	done
	install -D -m 644 contrib/systemd/ipambridge.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/ipambridge.conf
	install -D -m 644 contrib/systemd/ipambridge.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/ipambridge.conf

clean:
	rm -rf build

help:
	@echo 'make              the program: build/gcc/ipambridge'
	@echo 'make check        build, unit tests, layers, symbols, manuals, 200 simulations'
	@echo 'make integration  real PostgreSQL, BIND, Knot, PowerDNS (contrib/bootstrap servers)'
	@echo 'make ci           check, sanitizers, integration on the sanitizer build, fuzz, analysis'
	@echo 'make fuzz         every decoder, FUZZ_RUNS=$(FUZZ_RUNS) executions each'
	@echo 'make sim          SIM_SEEDS=$(SIM_SEEDS) simulated lives from SIM_FROM=$(SIM_FROM); make sim-million'
	@echo 'make properties   STATES=$(STATES) random states against what always holds'
	@echo 'make two-sides    people and Kea'\''s D2 beside the daemon: SEED=n BUSY_S=$(BUSY_S)'
	@echo 'make faults       faults on real servers: SEED=n CYCLES=$(CYCLES) FAULTS_ON=$(FAULTS_ON)'
	@echo 'make bench        the figures of the README, as ratios in one run'
	@echo 'make bench-live   the same for the daemon, beside Kea'"'"'s own D2'
	@echo 'make bench-reconcile  a pass that finds nothing, little, everything to do; SIZES="10000"'
	@echo 'make demo         the whole lab, to explore; demo-once checks it and ends'
	@echo 'make install      DESTDIR= PREFIX=$(PREFIX)'
	@echo 'CC=clang SAN=address,undefined select another build directory'

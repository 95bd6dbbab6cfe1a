# SPDX-License-Identifier: BSD-3-Clause
# The simulator (README.md here). It compiles the logic a second time, with the hooks that break its rules on
# request (common/mutation.h).

SIM_BINARIES = tests/sim/qsim
SIM_TESTS += tests/sim/check.sh

tests_sim_qsim_SOURCES = \
	tests/sim/arbiter_host.c \
	tests/sim/arbiter_host.h \
	tests/sim/campaign.c \
	tests/sim/campaign.h \
	tests/sim/canon.c \
	tests/sim/canon.h \
	tests/sim/check.c \
	tests/sim/check.h \
	tests/sim/core.h \
	tests/sim/core_model.c \
	tests/sim/core_stack.c \
	tests/sim/core_stack.h \
	tests/sim/cpg_client.c \
	tests/sim/cpg_client.h \
	tests/sim/device.h \
	tests/sim/device_agent.c \
	tests/sim/device_ours.c \
	tests/sim/device_packaged.c \
	tests/sim/lan.c \
	tests/sim/lan.h \
	tests/sim/model_totem.c \
	tests/sim/model_totem.h \
	tests/sim/model_votequorum.c \
	tests/sim/model_votequorum.h \
	tests/sim/network.c \
	tests/sim/network.h \
	tests/sim/node.c \
	tests/sim/node.h \
	tests/sim/prng.h \
	tests/sim/qsim.c \
	tests/sim/scenario.c \
	tests/sim/scenario.h \
	tests/sim/scenario_real.c \
	tests/sim/scenario_real.h \
	tests/sim/schedule.c \
	tests/sim/schedule.h \
	tests/sim/stack_config.c \
	tests/sim/stack_config.h \
	tests/sim/stack_groups.c \
	tests/sim/stack_host.h \
	tests/sim/stack_votes.c \
	tests/sim/synchrony.c \
	tests/sim/synchrony.h \
	tests/sim/tap.c \
	tests/sim/tap.h \
	tests/sim/voter.c \
	tests/sim/voter.h \
	tests/sim/world.c \
	tests/sim/world.h \
	$(libcore_logic_a_SOURCES) \
	$(libqdevice_logic_a_SOURCES) \
	$(libqnetd_logic_a_SOURCES)
tests_sim_qsim_CPPFLAGS = $(AM_CPPFLAGS) -DQUORATE_MUTATIONS
tests_sim_qsim_LDADD = $(PURE_LIBS)

# The ring alone: core/totem under an adversarial network (ring/ringsim.c says how to use it).
SIM_BINARIES += tests/sim/ringsim
SIM_TESTS += tests/sim/ring/check.sh
tests_sim_ringsim_SOURCES = \
	tests/sim/ring/check.c \
	tests/sim/ring/check.h \
	tests/sim/ring/ringsim.c \
	tests/sim/ring/world.c \
	tests/sim/ring/world.h
tests_sim_ringsim_LDADD = libcore_logic.a $(PURE_LIBS)

# SPDX-License-Identifier: BSD-3-Clause
# Fuzz targets. Each defines LLVMFuzzerTestOneInput; with --enable-fuzzing it is linked with libFuzzer,
# else with a main that replays the corpus tests/fuzz/corpus/X, which is what `make check` does.
#   FUZZERS += tests/fuzz/fuzz_X
#   tests_fuzz_fuzz_X_SOURCES = tests/fuzz/fuzz_X.c $(fuzz_main)
#   tests_fuzz_fuzz_X_LDADD = $(PURE_LIBS)
#   tests_fuzz_fuzz_X_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

if FUZZING
fuzz_main =
else
fuzz_main = tests/fuzz/replay.c
endif

FUZZERS += tests/fuzz/fuzz_wire_decode
tests_fuzz_fuzz_wire_decode_SOURCES = tests/fuzz/fuzz_wire_decode.c $(WIRE_TEXT) $(fuzz_main)
tests_fuzz_fuzz_wire_decode_LDADD = $(PURE_LIBS)
tests_fuzz_fuzz_wire_decode_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_framer
tests_fuzz_fuzz_framer_SOURCES = tests/fuzz/fuzz_framer.c $(fuzz_main)
tests_fuzz_fuzz_framer_LDADD = $(PURE_LIBS)
tests_fuzz_fuzz_framer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_state
tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c $(fuzz_main)
tests_fuzz_fuzz_state_LDADD = libqnetd_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_state_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_session
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c $(fuzz_main)
tests_fuzz_fuzz_session_LDADD = libqnetd_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_session_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(fuzz_main)
tests_fuzz_fuzz_control_LDADD = libshell.a $(PURE_LIBS)
tests_fuzz_fuzz_control_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_core_config
tests_fuzz_fuzz_core_config_SOURCES = tests/fuzz/fuzz_core_config.c tests/unit/config_host.h $(fuzz_main)
tests_fuzz_fuzz_core_config_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_core_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_totem_wire
tests_fuzz_fuzz_totem_wire_SOURCES = tests/fuzz/fuzz_totem_wire.c $(fuzz_main)
tests_fuzz_fuzz_totem_wire_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_totem_wire_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_totem_ring
tests_fuzz_fuzz_totem_ring_SOURCES = tests/fuzz/fuzz_totem_ring.c $(fuzz_main)
tests_fuzz_fuzz_totem_ring_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_totem_ring_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

service_world = tests/fuzz/service_world.c tests/fuzz/service_world.h
FUZZERS += tests/fuzz/fuzz_cfg
tests_fuzz_fuzz_cfg_SOURCES = tests/fuzz/fuzz_cfg.c $(service_world) $(fuzz_main)
tests_fuzz_fuzz_cfg_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_cfg_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_cmap_service
tests_fuzz_fuzz_cmap_service_SOURCES = tests/fuzz/fuzz_cmap_service.c $(service_world) $(fuzz_main)
tests_fuzz_fuzz_cmap_service_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_cmap_service_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_votequorum_wire
tests_fuzz_fuzz_votequorum_wire_SOURCES = tests/fuzz/fuzz_votequorum_wire.c $(fuzz_main)
tests_fuzz_fuzz_votequorum_wire_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_votequorum_wire_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_cpg
tests_fuzz_fuzz_cpg_SOURCES = tests/fuzz/fuzz_cpg.c $(fuzz_main)
tests_fuzz_fuzz_cpg_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_cpg_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_agent
tests_fuzz_fuzz_agent_SOURCES = tests/fuzz/fuzz_agent.c tests/fuzz/agent_model.c tests/fuzz/agent_model.h $(fuzz_main)
tests_fuzz_fuzz_agent_LDADD = libqdevice_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_agent_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_device_config
tests_fuzz_fuzz_device_config_SOURCES = tests/fuzz/fuzz_device_config.c $(fuzz_main)
tests_fuzz_fuzz_device_config_LDADD = libqdevice.a libqdevice_logic.a libshell.a $(PURE_LIBS)
tests_fuzz_fuzz_device_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_heuristics
tests_fuzz_fuzz_heuristics_SOURCES = tests/fuzz/fuzz_heuristics.c $(fuzz_main)
tests_fuzz_fuzz_heuristics_LDADD = libqdevice_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_heuristics_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_votequorum
tests_fuzz_fuzz_votequorum_SOURCES = tests/fuzz/fuzz_votequorum.c $(fuzz_main)
tests_fuzz_fuzz_votequorum_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_votequorum_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_quorum_ipc
tests_fuzz_fuzz_quorum_ipc_SOURCES = tests/fuzz/fuzz_quorum_ipc.c $(fuzz_main)
tests_fuzz_fuzz_quorum_ipc_LDADD = libcore_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_quorum_ipc_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_enrol
tests_fuzz_fuzz_enrol_SOURCES = tests/fuzz/fuzz_enrol.c $(fuzz_main)
tests_fuzz_fuzz_enrol_LDADD = libcerts_logic.a $(PURE_LIBS)
tests_fuzz_fuzz_enrol_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz_certs
tests_fuzz_fuzz_certs_SOURCES = tests/fuzz/fuzz_certs.c $(fuzz_main)
tests_fuzz_fuzz_certs_LDADD = $(CERTS_LIBS)
tests_fuzz_fuzz_certs_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages as captured between packaged programs (spec/qnet-protocol.md section 15, spec/qdevice-daemon.md
 * appendix A), with what they say. All but the echoes with an unknown TLV encode to the very same bytes. Also the
 * seeds of the fuzz corpora.
 */
#ifndef QUORATE_TESTS_UNIT_WIRE_VECTORS_H
#define QUORATE_TESTS_UNIT_WIRE_VECTORS_H

#include <stdbool.h>

struct wire_vector {
    const char *hex;
    const char *text;      /* as wire_text renders it */
    bool has_unknown_tlvs; /* which are not encoded again */
};

#define HEX_MESSAGES                                                                                         \
    "00040024000000010002000300040005000600070008"                                                           \
    "0009000a000b000c000d000e000f00100011"
#define HEX_OPTIONS                                                                                          \
    "0005003000000001000200030004000500060007000800"                                                         \
    "09000a000b000c000d000e000f0010001100120013001400150016"                                                 \
    "0017"

static const struct wire_vector wire_vectors[] = {
    /* Section 15, by number. */
    {"00000000000f0000000400000001000100036c6162", "PREINIT seq=1 cluster=\"lab\"", false},
    {"000100000012000000040000000100020001000003000101", "PREINIT_REPLY seq=1 tls=unsupported client_cert=1",
     false},
    {"0002000000080000000400000002", "STARTTLS seq=2", false},
    {"0003000000930000000400000002" HEX_MESSAGES HEX_OPTIONS
     "0009000400000001000b00020001000c000400000c80001500"
     "050100000000000d000c000000010000000000000005",
     "INIT seq=2 messages=18 options=24 node=1 algorithm=ffsplit heartbeat=3200ms tie_breaker=lowest "
     "ring=1.5",
     false},
    {"000400000086000600020000" HEX_MESSAGES HEX_OPTIONS "0000000400000002000700040000800000080004000080"
     "00000a00080000000100020003",
     "INIT_REPLY error=0 messages=18 options=24 seq=2 request_max=32768 reply_max=32768 algorithms=4", false},
    {"00040000002a000600020000000000040000000200070004000080000008000400008000000a00080000000100020003",
     "INIT_REPLY error=0 seq=2 request_max=32768 reply_max=32768 algorithms=4", false},
    {"00060000000d00000004000000030017000101", "SET_OPTION seq=3 keep_active_partition=on", false},
    {"00070000000d00000004000000030017000101", "SET_OPTION_REPLY seq=3 keep_active_partition=on", false},
    {"0007000000100000000400000004000c000400001388", "SET_OPTION_REPLY seq=4 heartbeat=5000ms", false},
    {"000a0000002500000004000000040012000100001100080009000400000001001100080009000400000002",
     "NODE_LIST seq=4 type=initial-config nodes=1,2", false},
    {"000b0000002200000004000000040012000100000d000c0000000100000000000000050013000103",
     "NODE_LIST_REPLY seq=4 type=initial-config ring=1.5 vote=ASK_LATER", false},
    {"000e0000001d00000004000000010013000101000d000c000000010000000000000005",
     "VOTE_INFO seq=1 vote=ACK ring=1.5", false},
    {"000f000000080000000400000001", "VOTE_INFO_REPLY seq=1", false},
    {"0008000000080000000400000001", "ECHO_REQUEST seq=1", false},
    {"0009000000080000000400000001", "ECHO_REPLY seq=1", false},
    {"000a0000004100000004000000040012000101000e00080000000000000007001100100009000400000001000f00040000000a0"
     "011"
     "00100009000400000002000f000400000014",
     "NODE_LIST seq=4 type=changed-config config_version=7 nodes=1/dc10,2/dc20", false},
    {"000a0000003a00000004000000050012000102000d000c000000010000000000000008001100080009000400000001001100080"
     "0"
     "090004000000020016000101",
     "NODE_LIST seq=5 type=membership ring=1.8 nodes=1,2 heuristics=pass", false},
    {"000e0000001d00000004000000010013000101000d000c000000010000000000000008",
     "VOTE_INFO seq=1 vote=ACK ring=1.8", false},
    {"000b0000002200000004000000050012000102000d000c0000000100000000000000080013000105",
     "NODE_LIST_REPLY seq=5 type=membership ring=1.8 vote=NO_CHANGE", false},
    {"000a000000340000000400000006001200010300140001010011000d000900040000000100100001010011000d0009000400000"
     "002"
     "0010000102",
     "NODE_LIST seq=6 type=quorum quorate=yes nodes=1:member,2:dead", false},
    {"000b0000002200000004000000060012000103000d000c0000000100000000000000080013000105",
     "NODE_LIST_REPLY seq=6 type=quorum ring=1.8 vote=NO_CHANGE", false},
    {"00100000000d00000004000000070016000102", "HEURISTICS_CHANGE seq=7 heuristics=fail", false},
    {"00110000002200000004000000070013000105000d000c0000000100000000000000080016000102",
     "HEURISTICS_CHANGE_REPLY seq=7 vote=NO_CHANGE ring=1.8 heuristics=fail", false},
    {"000c000000080000000400000006", "ASK_FOR_VOTE seq=6", false},
    {"000d0000001d00000004000000060013000101000d000c000000010000000000000001",
     "ASK_FOR_VOTE_REPLY seq=6 vote=ACK ring=1.1", false},
    {"00050000000e000000040000000600060002000e", "SERVER_ERROR seq=6 error=14", false},
    {"000500000006000600020004", "SERVER_ERROR error=4", false},
    {"000800000011000000040000000103e8000568656c6c6f", "ECHO_REQUEST seq=1", true},
    {"000900000011000000040000000103e8000568656c6c6f", "ECHO_REPLY seq=1", true},
    /* A device at work. */
    {"00000000000e00000004000000010001000251"
     "53",
     "PREINIT seq=1 cluster=\"QS\"", false},
    {"0003000000930000000400000002" HEX_MESSAGES HEX_OPTIONS
     "0009000400000003000b00020001000c000400000960001500"
     "050100000000000d000c000000030000000000000023",
     "INIT seq=2 messages=18 options=24 node=3 algorithm=ffsplit heartbeat=2400ms tie_breaker=lowest "
     "ring=3.35",
     false},
    {"000a0000002500000004000000040012000100001100080009000400000003001100080009000400000004",
     "NODE_LIST seq=4 type=initial-config nodes=3,4", false},
    {"000a0000003500000004000000050012000102000d000c000000030000000000000023001100080009000400000003001100080"
     "009"
     "000400000004",
     "NODE_LIST seq=5 type=membership ring=3.35 nodes=3,4", false},
    {"000a000000340000000400000006001200010300140001010011000d000900040000000400100001010011000d0009000400000"
     "003"
     "0010000101",
     "NODE_LIST seq=6 type=quorum quorate=yes nodes=4:member,3:member", false},
    {"000f00000008000000040000002a", "VOTE_INFO_REPLY seq=42", false},
};
#define WIRE_VECTOR_COUNT (sizeof(wire_vectors) / sizeof(wire_vectors[0]))

#endif

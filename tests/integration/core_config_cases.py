# SPDX-License-Identifier: BSD-3-Clause
"""Configurations, good and bad, that core_config.py gives to the packaged daemon and to ours.

CASES: group -> {name: text}. Long because it is a table. `@DIR@` stands for a directory with files key0, key127, key128,
key4096 and key5000 of that many bytes. The host is called n1 and has 10.4.0.1, 192.168.7.1, fd04::1, 10.5.0.1, fd05::1.
"""

TRANSPORTS = ("knet", "udpu", "udp")
BASE = """totem {
    version: 2
@totem@
}
nodelist {
@nodes@
}
quorum {
    provider: corosync_votequorum
@quorum@
}
logging {
    to_stderr: yes
    to_syslog: no
@logging@
}
@end@
"""
A = ("ring0_addr: 10.4.0.1", "nodeid: 1", "name: n1")
B = ("ring0_addr: 10.4.0.2", "nodeid: 2", "name: n2")
A6 = ("ring0_addr: fd04::1", "nodeid: 1", "name: n1")
B6 = ("ring0_addr: fd04::2", "nodeid: 2", "name: n2")

CASES = {}


def node(*lines):
    return "node {\n" + "\n".join(lines) + "\n}"


def conf(totem="", quorum="", logging="", end="", nodes=(A, B), nodelist=""):
    text = BASE.replace("@nodes@", "\n".join(node(*one) for one in nodes) + "\n" + nodelist)
    for mark, value in (("totem", totem), ("quorum", quorum), ("logging", logging), ("end", end)):
        text = text.replace("@%s@" % mark, value)
    return text


def add(group, name, text):
    cases = CASES.setdefault(group, {})
    assert name not in cases, (group, name)
    cases[name] = text


def totem(group, *lines):
    add(group, "; ".join(line[:40] for line in lines).replace("\n", " "), conf(totem="\n".join(lines)))


# ---- grammar ----

for text in (
        "{", "  {  ", "foo { # x", "foo { x: 1 }", "foo { {\n}", "foo {#\n}", "x }", "}}", "foo {\n} x", "just words",
        "foo: a { b", "foo: a } b", "foo: {\n}", ": {\n}", "foo:", ": x", "a {\n: x\n}", "a b: x", "a$: x", "ab*: x",
        "abc # x: y", "a: 1", "abc: 1", "a {\nb: 1\n}", "a b {\n x: 1\n}", "a b {\n}", "a:b {\n x: 1\n}", "foo {", "}",
        "Totem {\nversion: 3\n}", "abc: a:b:c", "ab: c: d", "abc: \udca0x", "ab\udce9: x", "\tabc\t:\tx\t", "abc: x\r",
        "abc: x\f", 'abc: "x y"  ', "a..b: c", "a/b-c_d: c", "foo {\nfoo {\n}", "x: y }", "} x: y", "a: { }"):
    add("grammar", repr(text)[:60], conf(end=text))
for size in (509, 510, 511, 600, 1021, 1022):
    add("grammar", "line of %d" % size, conf(end="foo: " + "x" * (size - 5)))
    add("grammar", "comment of %d" % size, conf(end="#" * size))
    add("grammar", "last line of %d without newline" % size, conf() + "#" * size)
add("grammar", "no newline at the end", conf()[:-2])
add("grammar", "empty file", "")
add("grammar", "only a comment", "# x\n")
add("grammar", "CR LF", conf().replace("\n", "\r\n"))
for size in range(252, 257):
    add("grammar", "key of %d" % size, conf(end="k" * size + ": 1"))
    add("grammar", "section of %d" % size, conf(end="k" * size + " {\n}"))
    add("grammar", "section and key of %d" % size, conf(end="k" * (size - 2) + " {\nk: 1\n}"))
    add("grammar", "sections of %d" % size, conf(end="aa {\n" + "k" * (size - 3) + " {\n}\n}"))
for depth in (125, 126, 127, 128):
    add("grammar", "%d sections deep" % depth, conf(end="a {\n" * depth + "b: c\n" + "}\n" * depth))

# ---- which sections are special ----

for text in (
        "totem {\ntotem {\nversion: x\n}\n}",
        "aaa {\ntotem {\nversion: x\n}\nquorum {\nvotes: x\n}\nnodelist {\nnode {\nnodeid: x\n}\n}\nlogging {\n"
        "logger_subsys {\n}\n}\nuidgid {\nfoo: 1\n}\nsystem {\nsched_rr: x\n}\n}",
        "interface {\nttl: x\n}\nnode {\nnodeid: x\n}\nlogger_subsys {\n}\ndevice {\nvotes: x\n}\nmember {\nfoo: x\n}",
        "totem {\nsub {\nip_version: x\ncrypto_cipher: x\ninterface {\nttl: x\n}\n}\n}",
        "logging {\nsub {\nlogger_subsys {\n}\n}\n}", "system {\nsub {\nsched_rr: x\n}\n}",
        "quorum {\ndevice {\ndevice {\nvotes: x\n}\nquorum {\nvotes: x\n}\n}\nquorum {\nvotes: x\n}\n}",
        "quorum.provider: x", "totem.version: 3", "totem.token: x", "totem.token: 5", "nodelist.node.0.nodeid: 1",
        "runtime.x: 1", "logging.debug: foo", "uidgid.uid.5: 1", "stats.srp.x: y", "config.reload_in_progress: 5",
        "internal_configuration.service.0.name: foo", "resources.watchdog_device: off",
        "pload {\ncount: 5\nsize: 6\n}", "pload {\ncount: x\n}", "nozzle {\nipaddr: nonsense\n}",
        "amf {\nmode: x\n}", "aisexec {\nuser: x\n}", "service {\nname: pacemaker\nver: 0\n}"):
    add("sections", text.replace("\n", " ")[:70], conf(end=text))

# ---- integers ----

for value in ("10", "+10", "-1", "-0", "0", "0x10", "1e3", " 12", "12 x", "", "4294967295", "4294967296", "1" * 30,
              "010", "1.5", "1,000", "1_0", "--1", "+", "-", "+-1", "\v12", "\f12", "- 1", "0b1"):
    totem("integers", "fail_recv_const: %s" % value)
    totem("integers", "knet_compression_level: %s" % value)
for value in ("-2147483648", "-2147483649", "2147483647", "2147483648"):
    totem("integers", "knet_compression_level: %s" % value)
for value in ("0", "255", "256", "-1"):
    add("integers", "two_node: " + value, conf(quorum="two_node: %s" % value))
for value in ("0", "65535", "65536", "-1"):
    totem("integers", "interface {\nmcastport: %s\n}" % value)
for value in ("0", "1", "18446744073709551615"):
    totem("integers", "config_version: %s" % value)

# ---- totem: words, crypto ----

for key, values in {
        "transport": ("knet", "udp", "udpu", "Knet", "", "iba"), "ip_version": ("ipv4", "ipv6", "ipv4-6", "ipv6-4", "4", ""),
        "crypto_model": ("nss", "openssl", "none", "gcrypt", ""),
        "crypto_cipher": ("none", "aes256", "aes192", "aes128", "3des", ""),
        "crypto_hash": ("none", "md5", "sha1", "sha256", "sha384", "sha512", "crc", ""),
        "secauth": ("on", "off", "yes", "1"), "link_mode": ("passive", "active", "rr", "random", "", "x" * 63, "x" * 64),
        "knet_compression_model": ("zlib", "lz4", "lz4hc", "lzo2", "lzma", "bzip2", "zstd", "none", "foo", ""),
        "block_unlisted_ips": ("yes", "no", "maybe"), "cancel_token_hold_on_retransmit": ("yes", "no", "x"),
        "clear_node_high_bit": ("yes", "no"), "version": ("1", "2", "3", "")}.items():
    for value in values:
        add("words of totem", "%s: %s (%d)" % (key, value[:20], len(value)), conf(totem="%s: %s" % (key, value)))
add("words of totem", "no version", conf().replace("    version: 2\n", ""))
HASH = "crypto_hash: sha256"
for lines in (("crypto_cipher: aes256", HASH), ("crypto_hash: crc", "crypto_cipher: zzz"),
              ("secauth: on", "crypto_cipher: none"), ("secauth: on", "crypto_hash: none"),
              (HASH, "keyfile: /nonexistent"), ("keyfile: /nonexistent",), (HASH, "keyfile: @DIR@/key0"),
              (HASH, "keyfile: @DIR@/key127"), (HASH, "keyfile: @DIR@/key128"), (HASH, "keyfile: @DIR@/key4096"),
              (HASH, "keyfile: @DIR@/key5000"), (HASH, "keyfile: @DIR@"), (HASH, "keyfile:"), (HASH, "key:"),
              (HASH, "key: abc"), (HASH, "key: " + "k" * 126), (HASH, "key: " + "k" * 127), (HASH, "key: " + "k" * 300),
              (HASH, "keyfile: /nonexistent", "key: " + "k" * 128)):
    add("crypto", "; ".join(line[:40] + "(%d)" % len(line) for line in lines), conf(totem="\n".join(lines)))
for transport in TRANSPORTS:
    totem("crypto", "transport: " + transport, "cluster_name: x", HASH, "keyfile: @DIR@/key128")
    totem("crypto", "transport: " + transport, "cluster_name: x", "secauth: on")

# ---- timers ----

TIMERS = ("token", "token_retransmit", "hold", "join", "consensus", "merge", "downcheck", "max_network_delay",
          "fail_recv_const", "seqno_unchanged_const", "window_size", "max_messages", "miss_count_const",
          "heartbeat_failures_allowed", "send_join", "token_retransmits_before_loss_const", "token_coefficient",
          "token_warning", "knet_pmtud_interval", "knet_mtu", "knet_compression_threshold", "netmtu", "threads",
          "nodeid", "rrp_token_expired_timeout")
for key in TIMERS:
    for value in (0, 1, 13, 14, 29, 30, 101, 4294967295):
        totem("timers", "%s: %d" % (key, value))
for lines in (("token: 125",), ("token: 126",), ("token: 127",), ("join: 200", "consensus: 100"), ("consensus: 50",),
              ("join: 3600",), ("join: 3601",), ("token_retransmits_before_loss_const: 99",),
              ("token_retransmits_before_loss_const: 100",), ("token_warning: 100",)):
    totem("timers", *lines)
CHECKED = {"version": 1, "token": 4, "token_warning": 500, "token_retransmit": 4, "hold": 4, "join": 4, "consensus": 4,
           "merge": 4, "downcheck": 4, "max_network_delay": 4, "link_mode": "foo", "interface {\nttl": "3\n}"}
for one in CHECKED:
    for other in CHECKED:
        if one < other and (one, other) != ("token", "token_retransmit"):
            totem("two errors", "%s: %s" % (one, CHECKED[one]), "%s: %s" % (other, CHECKED[other]))
totem("two errors", "transport: foo", "crypto_cipher: aes256")
totem("two errors", "crypto_cipher: aes256", "interface {\nknet_transport: tcp\n}", "keyfile: /x")
totem("two errors", HASH, "link_mode: " + "x" * 70)
totem("two errors", "link_mode: " + "x" * 70, "interface {\nknet_transport: tcp\n}")
totem("two errors", "interface {\nknet_transport: tcp\nmcastaddr: nonsense.invalid\n}")
totem("two errors", "transport: udp", "cluster_name: a", HASH, "keyfile: @DIR@/key128", "link_mode: foo")
totem("two errors", "transport: udpu", HASH, "keyfile: @DIR@/key128", "token: 5")

# ---- interface sections ----

for transport in TRANSPORTS:
    HEAD = ("transport: " + transport, "cluster_name: x")
    for text in (
            "", "linknumber: 1", "linknumber: 8", "linknumber: x", "linknumber: 256", "ringnumber: 0", "foo: bar",
            "foo {\nbar: 1\n}", "bindnetaddr: 10.4.0.0", "bindnetaddr: nonsense.invalid", "mcastaddr: 239.1.1.1",
            "mcastaddr: nonsense.invalid", "mcastaddr: 10.1.1.1", "mcastaddr: ff02::1", "mcastport: 5410",
            "mcastport: 0", "broadcast: yes", "broadcast: maybe", "broadcast: yes\nmcastaddr: 239.1.1.1", "ttl: 0",
            "ttl: 3", "ttl: 256", "knet_transport: udp", "knet_transport: sctp", "knet_transport: tcp",
            "knet_transport:", "knet_link_priority: 0", "knet_link_priority: 1", "knet_link_priority: 5",
            "knet_link_priority: 256", "knet_ping_interval: 100", "knet_ping_timeout: 100",
            "knet_ping_interval: 0\nknet_ping_timeout: 0\nknet_pong_count: 0\nknet_ping_precision: 0",
            "knet_ping_interval: 300\nknet_ping_timeout: 200", "member {\nmemberaddr: 10.4.0.1\n}",
            "member {\nfoo: 10.4.0.1\n}"):
        totem("interfaces, " + transport, *HEAD, "interface {", text, "}")
    for number in (1, 7, 8, 9):
        for text in ("knet_pong_count: 2", "mcastport: 5410", "bindnetaddr: 10.5.0.1", "foo: bar"):
            totem("interfaces, " + transport, *HEAD, "interface {", "linknumber: %d" % number, text, "}")
    totem("interfaces, " + transport, *HEAD, "interface {\nknet_pong_count: 5\n}", "interface {\nmcastport: 3\n}")
    totem("interfaces, " + transport, HEAD[0])
    totem("interfaces, " + transport, *HEAD, "ip_version: ipv4-6", "interface {\nmcastaddr: ff02::1\n}")
    OLD = conf(totem="\n".join(HEAD) + "\ninterface {\nbindnetaddr: 10.4.0.1\nmember {\nmemberaddr: 10.4.0.1\n}\n}",
               nodes=())
    add("interfaces, " + transport, "no nodelist", OLD)
    add("interfaces, " + transport, "no nodelist, bad bindnetaddr", OLD.replace("r: 10.4.0.1", "r: nonsense.invalid"))
    add("interfaces, " + transport, "no nodelist, no bindnetaddr", OLD.replace("bindnetaddr: 10.4.0.1", "mcastport: 3"))

# ---- nodes ----


def nodes_of(transport):
    """(name, nodes, more of totem, more of nodelist)"""
    links = tuple("ring%d_addr: 10.4.0.%d" % (i, i * 10) for i in range(1, 8))
    return (
        ("two", (A, B)), ("one", (A,)), ("none", ()), ("not this host", (B,)), ("three", (A, B, (
            "ring0_addr: 10.4.0.3", "nodeid: 3", "name: n3"))),
        ("no ids", (A[:1] + A[2:], B[:1] + B[2:])), ("no id of the other", (A, B[:1] + B[2:])),
        ("id 0", (("ring0_addr: 10.4.0.1", "nodeid: 0", "name: n1"), B)),
        ("id 0 of the other", (A, ("ring0_addr: 10.4.0.2", "nodeid: 0", "name: n2"))),
        ("id 65535", (("ring0_addr: 10.4.0.1", "nodeid: 65535", "name: n1"), B)),
        ("id 65536", (("ring0_addr: 10.4.0.1", "nodeid: 65536", "name: n1"), B)),
        ("id 65536 of the other", (A, ("ring0_addr: 10.4.0.2", "nodeid: 65536", "name: n2"))),
        ("largest id", (("ring0_addr: 10.4.0.1", "nodeid: 4294967295", "name: n1"), B)),
        ("id too large", (("ring0_addr: 10.4.0.1", "nodeid: 4294967296", "name: n1"), B)),
        ("same id", (A, ("ring0_addr: 10.4.0.2", "nodeid: 1", "name: n2"))),
        ("same ids twice", (("ring0_addr: 10.4.0.1", "nodeid: 3", "name: n1"), ("ring0_addr: 10.4.0.2", "nodeid: 2"),
                            ("ring0_addr: 10.4.0.3", "nodeid: 2"), ("ring0_addr: 10.4.0.4", "nodeid: 3"))),
        ("same address", (A, ("ring0_addr: 10.4.0.1", "nodeid: 2", "name: n2"))),
        ("same name", (A, ("ring0_addr: 10.4.0.2", "nodeid: 2", "name: n1"))),
        ("no names", (A[:2], B[:2])), ("empty name", (A[:2] + ("name:",), B)),
        ("foreign names", (A[:2] + ("name: x1",), B[:2] + ("name: x2",))),
        ("own name, another address", (("ring0_addr: 10.4.0.9",) + A[1:], B)),
        ("full name", (("ring0_addr: 10.9.0.1", "nodeid: 1", "name: n1.example.org"), B)),
        ("host names as addresses", (("ring0_addr: n1", "nodeid: 1"), ("ring0_addr: n2", "nodeid: 2"))),
        ("unresolved", (("ring0_addr: n1", "nodeid: 1"), ("ring0_addr: nope.invalid", "nodeid: 2"))),
        ("own unresolved", (("ring0_addr: nope.invalid",) + A[1:], B)),
        ("empty address", (("ring0_addr:",) + A[1:], B)), ("empty address of the other", (A, ("ring0_addr:",) + B[1:])),
        ("no address", (A[1:], B)), ("no address of the other", (A, B[1:])), ("no address at all", (A[1:], B[1:])),
        ("IPv6", (A6, B6)), ("IPv6 without ids", (A6[:1] + A6[2:], B6[:1] + B6[2:])),
        ("IPv6 without id of the other", (A6, B6[:1] + B6[2:])),
        ("IPv6 only", (A6, B6), "ip_version: ipv6"), ("IPv6 only, IPv4 addresses", (A, B), "ip_version: ipv6"),
        ("IPv4 only, IPv6 addresses", (A6, B6), "ip_version: ipv4"), ("mixed families", (A, B6)),
        ("two links", (A + ("ring1_addr: 10.5.0.1",), B + ("ring1_addr: 10.5.0.2",))),
        ("two links, no names", (A[:2] + ("ring1_addr: 10.5.0.1",), B[:2] + ("ring1_addr: 10.5.0.2",))),
        ("two links, one of them for one", (A + ("ring1_addr: 10.5.0.1",), B)),
        ("two links, one of them for the other", (A, B + ("ring1_addr: 10.5.0.2",))),
        ("two links, one for each", (("ring1_addr: 10.5.0.1",) + A[1:], B), "interface {\nmcastport: 5000\n}"),
        ("links 0 and 3", (A + ("ring3_addr: 10.5.0.1",), B + ("ring3_addr: 10.5.0.2",))),
        ("only link 1", (("ring1_addr: 10.4.0.1",) + A[1:], ("ring1_addr: 10.4.0.2",) + B[1:])),
        ("eight links", (A + links, B + links)), ("link 8", (A + ("ring8_addr: 10.5.0.1",), B)),
        ("link 9 and version", (A + ("ring9_addr: 10.5.0.1",), B), "version: 1"),
        ("ring00", (("ring00_addr: 10.4.0.1",) + A[1:], ("ring00_addr: 10.4.0.2",) + B[1:])),
        ("odd rings", (A + ("ringx_addr: 10.4.0.1", "ring_addr: x"), B)), ("ring -1", (A + ("ring-1_addr: z",), B)),
        ("link families differ", (A + ("ring1_addr: fd05::1",), B + ("ring1_addr: fd05::2",))),
        ("mixed families on link 1", (A + ("ring1_addr: fd05::1",), B + ("ring1_addr: 10.5.0.2",))),
        ("own address on link 1 is elsewhere", (A + ("ring1_addr: 10.99.0.1",), B + ("ring1_addr: 10.99.0.2",))),
        ("votes", (A + ("quorum_votes: 3",), B)), ("bad votes", (A + ("quorum_votes: x",), B)),
        ("negative votes", (A + ("quorum_votes: -1",), B)), ("other keys", (A + ("datacenterid: 4",), B)),
        ("key in nodelist", (A, B), "", "foo: bar"), ("section in nodelist", (A, B), "", "foo {\nbar: 1\n}"),
        ("network address", (("ring0_addr: 10.4.0.0",) + A[1:], B)), ("loopback", (("ring0_addr: 127.0.0.1",) + A[1:],)),
        ("long name", (A[:2] + ("name: " + "n" * 300,), B)),
        ("two hundred", (A,) + tuple(("ring0_addr: 10.4.0.%d" % i, "nodeid: %d" % i) for i in range(2, 201))),
        ("twelve, ids again", (A,) + tuple(("ring0_addr: 10.4.0.%d" % i, "nodeid: %d" % (i % 10 + 1))
                                           for i in range(2, 13))),
        ("by address", (("ring0_addr: 192.168.7.1",), ("ring0_addr: 192.168.7.2",))),
        ("by address, high bit", (("ring0_addr: 192.168.7.1",), ("ring0_addr: 192.168.7.2",)), "clear_node_high_bit: yes"),
        ("names, then families", (A + ("ring1_addr: fd05::1",), ("ring0_addr: fd04::2", "ring1_addr: 10.5.0.2",
                                                                 "nodeid: 2"))),
        ("names, then count", (A + ("ring1_addr: 10.5.0.1",), B[:2])),
        ("count, then families", (A + ("ring1_addr: 10.5.0.1",), B6)),
        ("families, then ids", (A, ("ring0_addr: fd04::2", "nodeid: 1"))),
        ("ids, then mode", (A, ("ring0_addr: 10.4.0.2", "nodeid: 1")), "link_mode: foo"),
        ("ids, then token", (A, ("ring0_addr: 10.4.0.2", "nodeid: 1")), "token: 5"),
        ("downcheck, then names", (A + ("ring1_addr: 10.5.0.1",), B[:2] + ("ring1_addr: 10.5.0.2",)), "downcheck: 5"),
        ("bindnet, then nodeid", (("ring0_addr: nope.invalid", "name: n1"), B)),
        ("bindnet, then interface", (("ring0_addr: nope.invalid", "name: n1"), B), "interface {\nknet_transport: tcp\n}"),
        ("interface, then nodeid", (("ring0_addr: fd04::1", "name: n1"), B), "interface {\nknet_transport: tcp\n}"),
        ("id, then address", (A, ("ring0_addr: nope.invalid", "nodeid: 0"))),
        ("one member after the other", (A, ("ring0_addr: 10.4.0.2", "nodeid: 0"), ("ring0_addr: nope.invalid", "nodeid: 3"))),
        ("id too large, then address", (A, ("ring0_addr: nope.invalid", "nodeid: 99999"))),
    ) if transport else ()


for transport in TRANSPORTS:
    for name, members, *more in nodes_of(transport):
        more += [""] * (2 - len(more))
        add("nodes, " + transport, name, conf(totem="transport: %s\ncluster_name: x\n%s" % (transport, more[0]),
                                              nodes=members, nodelist=more[1]))
add("nodes, knet", "a second nodelist", conf(end="nodelist {\n" + node("nodeid: 7") + "\n}"))

# ---- quorum ----

for text in (
        "provider: foo", "provider: corosync_ykd", "provider:", "expected_votes: 0", "expected_votes: x", "votes: 3",
        "two_node: 1", "two_node: 2", "wait_for_all: 1", "last_man_standing: 1", "last_man_standing_window: 5",
        "auto_tie_breaker: 1", "auto_tie_breaker_node: foo", "allow_downscale: 1", "expected_votes_tracking: 1",
        "leaving_timeout: 1", "leaving_timeout: x", "cancel_wait_for_all: x", "foo {\nvotes: x\n}"):
    add("quorum", text.replace("\n", " "), conf(quorum=text))
for text in (
        "", "votes: 1", "votes: x", "timeout: -1", "sync_timeout: 99999999999", "master_wins: 1", "master_wins: 300",
        "net {\nhost: x\nport: abc\n}", "heuristics {\nmode: on\nexec_a b: x\n}", "heuristics {\nexec_a: x y z\n}"):
    add("quorum", "device: " + text.replace("\n", " "), conf(quorum="device {\nmodel: net\n%s\n}" % text))
add("quorum", "two_node and device", conf(quorum="two_node: 1\ndevice {\nmodel: net\n}"))

# ---- logging ----

LOGGING = {
    "to_stderr": ("yes", "no", "on", "off", "1", "YES", ""), "to_syslog": ("yes", "x"), "to_logfile": ("yes", "no", "x"),
    "to_file": ("yes", "x"), "debug": ("on", "off", "trace", "yes", ""), "timestamp": ("on", "off", "hires", "x"),
    "fileline": ("on", "off", "yes"), "function_name": ("on", "off", "x"), "blackbox": ("on", "off", "x"),
    "syslog_facility": ("daemon", "local0", "local7", "local8", "kern", "user", "mail", "auth", "authpriv", "cron", "ftp",
                        "lpr", "news", "syslog", "uucp", "DAEMON", "x"),
    "syslog_priority": ("emerg", "alert", "crit", "err", "error", "warning", "notice", "info", "debug", "warn", "panic",
                        "INFO", ""),
    "syslog_level": ("info", "x"), "logfile_priority": ("info", "x"),
    "logfile": ("@DIR@/log", "/nonexistent/x", "@DIR@", "")}
for key, values in LOGGING.items():
    for value in values:
        line = "%s: %s" % (key, value)
        add("logging", line, conf(logging=line))
        add("logging", "CPG " + line, conf(logging="logger_subsys {\nsubsys: CPG\n%s\n}" % line))
    for other in LOGGING:
        if key < other:
            pair = ["%s: %s" % (k, "/nonexistent/x" if k == "logfile" else "x") for k in (key, other)]
            add("logging, two errors", "; ".join(pair), conf(logging="\n".join(pair)))
for text in (
        "logger_subsys {\ndebug: on\n}", "logger_subsys {\n}", "logger_subsys {\nsubsys: FOO\ndebug: on\n}",
        "logger_subsys {\nsubsys: totem\n}", "logger_subsys {\nsubsys:\ndebug: on\n}",
        "logger_subsys {\nsubsys: TOTEM\nsubsys: CPG\n}", "logger_subsys {\nsubsys: A B\ndebug: on\n}",
        "logger_subsys {\ndebug: on\nsubsys: CPG\n}", "logging_daemon {\ndebug: on\n}", "logging_daemon {\n}",
        "logging_daemon {\nname: corosync\ndebug: on\n}", "logging_daemon {\nname: corosync\ndebug: foo\n}",
        "logging_daemon {\nname: corosync\nsubsys: CPG\ndebug: foo\n}", "logging_daemon {\nname: qdevice\ndebug: foo\n}",
        "logging_daemon {\nname: qdevice\nsubsys: X\ndebug: foo\n}", "foo: bar",
        "debug: x\nlogger_subsys {\nsubsys: CPG\nto_stderr: x\n}"):
    add("logging", text.replace("\n", " "), conf(logging=text))

# ---- uidgid, system, resources ----

for text in ("uid: 0", "uid: root", "uid: nosuchuser", "gid: 0", "gid: root", "gid: nosuchgroup", "foo: 1", "uid: -1",
             "uid: 4294967295", "uid: 4294967296", "uid:", "uid: 5\nuid: 6\ngid: 7", "uid: 007", "uid: 0x10",
             "uid: 99999999999"):
    add("uidgid", text.replace("\n", " "), conf(end="uidgid {\n%s\n}" % text))
add("uidgid", "after another error", conf(totem="token: x", end="uidgid {\nuid: nosuch\n}"))
for key, values in {
        "qb_ipc_type": ("native", "shm", "socket", "x", ""), "sched_rr": ("yes", "no", "x", "on"),
        "priority": ("max", "min", "0", "-20", "20", "x", "", "99999999999"), "foo": ("x",),
        "move_to_root_cgroup": ("yes", "no", "auto", "x"), "allow_knet_handle_fallback": ("yes", "no", "x"),
        "state_dir": ("@DIR@", "/nonexistent", "", "@DIR@/key128", "relative")}.items():
    for value in values:
        add("system", "%s: %s" % (key, value), conf(end="system {\n%s: %s\n}" % (key, value)))
add("system", "state_dir after logging", conf(logging="debug: x", end="system {\nstate_dir: /nonexistent\n}"))
add("system", "state_dir before transport", conf(totem="transport: foo", end="system {\nstate_dir: /nonexistent\n}"))
for text in ("watchdog_device: off", "watchdog_timeout: 1", "watchdog_timeout: x", "poll_period: 1",
             "system {\nmemory_used {\nrecovery: foo\nmax: abc\npoll_period: 1\n}\n}", "foo {\nbar: 1\n}",
             "process {\nfoo {\npoll_period: 5\nmax: x\n}\n}", "process {\npoll_period: 7\n}"):
    add("resources", text.replace("\n", " "), conf(end="resources {\n%s\n}" % text))

# ---- where ours is stricter, and why ----

STRICTER = {
    "a section inside of a node": conf(nodes=(A + ("sub {", "x: 1", "}"), B)),  # packaged: misnumbers the nodes
    "a section inside of a logger_subsys": conf(logging="logger_subsys {\nsubsys: CPG\nfoo {\nx: y\n}\n}"),  # crashes
    "a config_version that is no number": conf(totem="config_version: x"),  # aborts
    "a config_version that is too large": conf(totem="config_version: 18446744073709551616"),  # aborts
    "a negative config_version": conf(totem="config_version: -5"),  # becomes 2^64 - 5
    "a negative poll_period": conf(end="resources {\nsystem {\nmemory_used {\npoll_period: -1\n}\n}\n}"),  # likewise
    "a NUL byte alone in its line": conf(end="\0\nabc: x"),  # is taken for an empty line
    "a key that is stored under a name cut short": conf(nodes=(A + ("k" * 240 + ": x",), B)),
}

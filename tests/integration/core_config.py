#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The core's configuration beside the packaged daemon's: what each says of many files, and the keys that it makes.

For every file of core_config_cases.py the packaged `corosync -t` and ours must end with the same status and give the same
reason first; ours adds where and what to do. For some good files the packaged daemon is started and its keys are compared;
and it is given others to read again.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import core_config_cases as cases  # noqa: E402
import tap  # noqa: E402
from lab import isolate  # noqa: E402

PACKAGED = "/usr/sbin/corosync"
CMAPCTL = "/usr/sbin/corosync-cmapctl"
TOOL = pathlib.Path(os.environ.get("Q_BUILD", "build")) / "tests/integration/core_config_tool"
CONF = pathlib.Path("/etc/corosync/corosync.conf")
START_TIMEOUT_S = 20
JOBS = 4  # they mostly wait
# Lines of the packaged daemon's log that are no errors of the configuration.
OTHER = re.compile(r"^(notice|info|debug|warning|trace) |exiting with status|^$|^\s*$")
MIGRATE = "Please migrate config file to nodelist."


def prepare(scratch):
    """In the sandbox: a host n1 with its addresses, and directories of its own."""
    pathlib.Path("/proc/sys/kernel/hostname").write_text("n1", encoding="ascii")
    for name in ("etc", "lib/corosync", "files"):
        (scratch / name).mkdir(parents=True)
    for size in (0, 127, 128, 4096, 5000):
        (scratch / "files" / ("key%d" % size)).write_bytes(b"k" * size)
    hosts = scratch / "hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 localhost\n10.4.0.1 n1\n10.4.0.2 n2\n10.4.0.3 n3\n", encoding="ascii")
    isolate.mount(scratch / "etc", "/etc/corosync", None, isolate.MS_BIND)
    isolate.mount(scratch / "lib", "/var/lib", None, isolate.MS_BIND)
    isolate.mount(hosts, "/etc/hosts", None, isolate.MS_BIND)
    isolate.mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
    isolate.mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
    subprocess.run(["/usr/sbin/ip", "-batch", "-"], check=True, text=True, input="""link set lo up
link add qr-cf0 type bridge
link add qr-cf1 type bridge
addr add 10.4.0.1/24 dev qr-cf0
addr add 192.168.7.1/24 dev qr-cf0
addr add fd04::1/64 dev qr-cf0 nodad
addr add 10.5.0.1/24 dev qr-cf1
addr add fd05::1/64 dev qr-cf1 nodad
link set qr-cf0 up
link set qr-cf1 up
""")
    return scratch / "files"


def run(*argv):
    done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, errors="replace", cwd="/",
                          check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def packaged(path):
    """Status, errors and warnings of the packaged daemon."""
    status, _, text = run(PACKAGED, "-t", "-c", path)
    lines = [re.sub(r"^\w+ \d+ [\d:.]+ (\w+)\s+\[\w+\s*\] (?:\w+\.c:\d+ )?", r"\1 ", line) for line in text.splitlines()]
    errors = [line.removeprefix("error ") for line in lines if not OTHER.search(line)]
    return status, errors, [line.removeprefix("warning ") for line in lines if line.startswith("warning ")]


def ours(path):
    status, keys, text = run(TOOL, path)
    lines = text.splitlines()
    return status, [line[2:] for line in lines if line[:2] == "E "], [line[2:] for line in lines if line[:2] == "W "], keys


def write(text, files, path=CONF):
    path.write_bytes(text.replace("@DIR@", str(files)).encode("utf-8", "surrogateescape"))


def difference(name, text, files):
    """"" or in what the two differ about this file."""
    path = CONF.with_name("%d.conf" % threading.get_ident())
    write(text, files, path)
    status, errors, warnings = packaged(path)
    our_status, our_errors, our_warnings, _ = ours(path)
    if our_status != status:
        return "%s: status %d, packaged %d %s: %s" % (name, our_status, status, errors[:1], our_errors[:1])
    if errors and not (our_errors and our_errors[0].startswith(errors[0])):
        return "%s: packaged %r, ours %r" % (name, errors[0], our_errors[:1])
    for warning in warnings:
        if status == 0 and warning != MIGRATE and not any(one.startswith(warning) for one in our_warnings):
            return "%s: does not warn: %s" % (name, warning)
    return ""


# ---- keys ----

LISTED = re.compile(r"^(totem|nodelist|quorum|logging|system|uidgid|nozzle|resources|pload|own|runtime\.config)\.")
# What other parts of the daemon add.
ADDED = re.compile(r"^resources\.system\.|^resources\.watchdog_timeout |^runtime\.config\.totem\.nodes")
LINKS = ("ring1_addr: 10.5.0.1",), ("ring1_addr: 10.5.0.2",)
KEYS = {
    "the least": cases.conf(),
    "three nodes": cases.conf(nodes=(cases.A, cases.B, ("ring0_addr: 10.4.0.3", "nodeid: 3", "quorum_votes: 2"))),
    "two links": cases.conf(totem="token: 1500\ntoken_coefficient: 100\ninterface {\nlinknumber: 1\nmcastport: 5500\n"
                                  "knet_ping_interval: 300\n}", nodes=(cases.A + LINKS[0], cases.B + LINKS[1])),
    "all defaults as 0": cases.conf(totem="\n".join("%s: 0" % key for key in cases.TIMERS if key != "nodeid")),
    "timers": cases.conf(totem="token: 1234\njoin: 60\nsend_join: 80\ntoken_retransmits_before_loss_const: 7\n"
                               "merge: 300\nhold: 100\ntoken_warning: 0\nblock_unlisted_ips: no\nwindow_size: 300\n"
                               "knet_compression_model: zlib\nknet_compression_level: -1\n"
                               "cancel_token_hold_on_retransmit: yes\nheartbeat_failures_allowed: 3"),
    "the largest token": cases.conf(totem="token: 4294967295"),
    "udpu, ids from addresses": cases.conf(totem="transport: udpu\ninterface {\nknet_pong_count: 3\n}",
                                           nodes=(cases.A[:1] + cases.A[2:], cases.B[:1] + cases.B[2:])),
    "udpu, ids without high bit": cases.conf(totem="transport: udpu\nclear_node_high_bit: yes",
                                             nodes=(("ring0_addr: 192.168.7.1",), ("ring0_addr: 192.168.7.2",))),
    "udp, group from the cluster's name": cases.conf(totem="transport: udp\ncluster_name: abc\ninterface {\nttl: 3\n}"),
    "udp, broadcast": cases.conf(totem="transport: udp\ninterface {\nbroadcast: yes\nmcastport: 0\n}"),
    "many sections": cases.conf(
        totem="config_version: 7\nfoo {\ntoken: x\ninterface {\nx: 1\n}\n}\ninterface {\nknet_link_priority: 5\n"
              "ringnumber: 0\nsub {\nmcastport: x\n}\nmember {\nmemberaddr: 10.4.0.1\n}\nmember {\n"
              "memberaddr: 10.4.0.2\n}\n}",
        nodelist="foo: bar\nsub {\nnodeid: z\nnode {\nnodeid: 4\n}\n}",
        quorum="leaving_timeout: 5\nvotes: 3\nfoo {\nvotes: x\n}\ndevice {\nmodel: net\nvotes: 1\ntimeout: 12000\n"
               "master_wins: 1\nnet {\nhost: a\nvotes: 3\n}\nheuristics {\nmode: on\nexec_a: x y\n}\n}",
        logging="foo: bar\nfileline: on\nsub {\nx: y\n}\nlogger_subsys {\nsubsys: CPG\ndebug: off\nfoo: bar\n}\n"
                "logger_subsys {\ndebug: off\nsubsys: TOTEM\n}\nlogging_daemon {\nname: corosync\nsyslog_priority: notice\n"
                "}\nlogging_daemon {\nname: corosync\nsubsys: CFG\ndebug: off\n}\nlogging_daemon {\nname: qdevice\n"
                "debug: foo\n}\nlogging_daemon {\nsubsys: X\nname: qnetd\ndebug: foo\n}",
        end="uidgid {\nuid: 7\nuid: root\ngid: 8\n}\npload {\ncount: x\n}\nresources {\nwatchdog_device: off\n"
            "poll_period: 1\nprocess {\nfoo {\npoll_period: 6000\nmax: 9\n}\n}\n}\nsystem {\nsched_rr: no\nfoo: bar\n}\n"
            "own {\nb {\nc: d\n}\n: {\ne: f\n}\nx: {\ng: h\n}\na:b {\ni: j\n}\nempty:\ncolons: a:b :c\nbrace: a } b\n}\n"
            "quorum {\nwait_for_all: 1\n}"),
}


@contextlib.contextmanager
def packaged_daemon():
    """Starts the packaged daemon with CONF; gives its keys once it has formed its ring."""
    with tempfile.TemporaryFile() as log, \
            subprocess.Popen([PACKAGED, "-f"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/") as daemon:
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while True:
                status, keys, _ = run(CMAPCTL)
                if status == 0 and "runtime.members." in keys:
                    break
                if time.monotonic() > deadline or daemon.poll() is not None:
                    log.seek(0)
                    raise AssertionError("the packaged daemon does not start: %s" % log.read().decode("utf-8", "replace"))
                time.sleep(0.05)
            yield keys
        finally:
            daemon.kill()


def listed(keys):
    return {line for line in keys.splitlines() if LISTED.search(line) and not ADDED.search(line)}


def check_keys(text, files):
    write(text, files)
    status, errors, _, keys = ours(CONF)
    assert status == 0, errors
    with packaged_daemon() as their_keys:
        mine, theirs = listed(keys), listed(their_keys)
    assert mine == theirs, "only ours: %s\nonly packaged: %s" % (sorted(mine - theirs), sorted(theirs - mine))


# ---- reload ----

RELOAD_BASE = cases.conf(totem="cluster_name: demo\ntransport: knet\ntoken: 1000\nnetmtu: 2000",
                         end="system {\nsched_rr: yes\n}\n")


def replaced(*pairs):
    text = RELOAD_BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def with_totem(*lines):
    return replaced(("token: 1000", "token: 1000\n" + "\n".join(lines)))


RELOADS = {
    "nothing": RELOAD_BASE,
    "fixed keys": replaced(("demo", "other"), ("knet", "udpu"), ("2000", "3000"), ("version: 2", "version: 3"),
                           ("corosync_votequorum", "corosync_ykd"), ("sched_rr: yes", "sched_rr: no\nfoo: x")),
    "fixed keys that are new": with_totem("threads: 3", "ip_version: ipv4", "rrp_mode: x"),
    "a section system less": replaced(("system {\nsched_rr: yes\n}", "")),
    "timers": replaced(("token: 1000", "token: 2000\ntoken_coefficient: 5\nmerge: 300\nsend_join: 5")),
    "fewer timers": replaced(("token: 1000", "")),
    "a bad timer": replaced(("token: 1000", "token: 5")),
    "what is no number": replaced(("token: 1000", "token: x")),
    "other keys of totem": with_totem("link_mode: active", "clear_node_high_bit: yes", "secauth: off", "nodeid: 7",
                                      "block_unlisted_ips: no", "knet_compression_model: zlib", "own: key"),
    "interface": with_totem("interface {\nmcastport: 5500\nknet_link_priority: 3\nmcastaddr: 239.1.1.1\n}"),
    "transport of a link": with_totem("interface {\nknet_transport: sctp\n}"),
    "another address": replaced(("10.4.0.2", "10.4.0.3")), "another own address": replaced(("10.4.0.1", "192.168.7.1")),
    "another link": replaced(("nodeid: 1", "nodeid: 1\nring1_addr: 10.5.0.1"), ("nodeid: 2", "nodeid: 2\nring1_addr: 10.5.0.2")),
    "another node": replaced(("name: n2\n}", "name: n2\n}\nnode {\nring0_addr: 10.4.0.3\nnodeid: 3\n}")),
    "another id of the other": replaced(("nodeid: 2", "nodeid: 4")),
    "quorum": replaced(("provider:", "wait_for_all: 1\nlast_man_standing: 1\ntwo_node: 1\nallow_downscale: 1\nprovider:")),
    "crypto": with_totem("crypto_hash: sha256", "keyfile: @DIR@/key128"),
    "crypto without key": with_totem("crypto_hash: sha256", "keyfile: /nonexistent"),
    "logging": replaced(("to_syslog: no", "to_syslog: no\ndebug: off\nlogger_subsys {\nsubsys: CPG\nto_stderr: no\n}")),
    "bad logging": replaced(("to_syslog: no", "to_syslog: x\ndebug: foo")),
    "other sections": RELOAD_BASE + "pload {\ncount: 4\n}\nown {\nkey: x\n}\nuidgid {\nuid: 5\n}\n",
}
# What the packaged daemon loses at a reload though it is in use (spec/corosync-conf.md section 9.1), and we keep.
LOST = re.compile(r"^(totem\.interface\.\d\.bindnetaddr|nodelist\.local_node_pos) ")


def check_reload(text, files):
    again = CONF.with_name("again.conf")
    write(RELOAD_BASE, files)
    write(text, files, again)
    status, mine, found = run(TOOL, CONF, again)
    with packaged_daemon():
        write(text, files)
        # Twice: ping times follow the token one reload late (spec/corosync-conf.md section 9.1).
        their_status, _, output = run("/usr/sbin/corosync-cfgtool", "-R")
        assert run("/usr/sbin/corosync-cfgtool", "-R")[0] == their_status
        theirs = run(CMAPCTL)[1]
    assert (status == 1) == (their_status == 0), (status, found, their_status, output)
    mine, theirs = ({line for line in listed(keys) if not LOST.search(line)} for keys in (mine, theirs))
    assert mine == theirs, "only ours: %s\nonly packaged: %s" % (sorted(mine - theirs), sorted(theirs - mine))


# ---- what only a start looks at ----

DEVICE = "device {\nmodel: net\n%s}\n"
NOT_STARTED = {
    "two_node and device": cases.conf(quorum="two_node: 1\n" + DEVICE % "votes: 1\n"),
    "last_man_standing and device": cases.conf(quorum="last_man_standing: 1\n" + DEVICE % ""),
    "auto_tie_breaker and device": cases.conf(quorum="auto_tie_breaker: 1\n" + DEVICE % ""),
    "allow_downscale and device": cases.conf(quorum="allow_downscale: 1\n" + DEVICE % ""),
    "expected_votes and device without votes": cases.conf(quorum="expected_votes: 3\n" + DEVICE % ""),
    "device without votes, uneven votes": cases.conf(quorum=DEVICE % "", nodes=(cases.A + ("quorum_votes: 2",), cases.B)),
    "device with too many votes": cases.conf(quorum="expected_votes: 3\n" + DEVICE % "votes: 2\n"),
    "tie-breaker and last man, odd": cases.conf(quorum="auto_tie_breaker: 1\nlast_man_standing: 1",
                                                nodes=(cases.A, cases.B, ("ring0_addr: 10.4.0.3", "nodeid: 3"))),
    "no such provider": cases.conf().replace("corosync_votequorum", "foo"),
    "priority": cases.conf(end="system {\npriority: x\n}"),
    "priority too large": cases.conf(end="system {\npriority: 2147483648\n}"),
}


def check_not_started(text, files):
    write(text, files)
    status, _, found = run(TOOL, CONF, "--start")
    errors = [line[2:].split(" [")[0] for line in found.splitlines() if line[:2] == "E "]
    their_status, _, log = run(PACKAGED, "-f")
    assert status == their_status, (status, errors, their_status, log)
    assert errors[0] in log, (errors, log)
    assert run(TOOL, CONF)[0] == run(PACKAGED, "-t")[0] == 0


# ---- the key/value map ----

def check_cmap(files):
    write(cases.conf(totem="token: 1000"), files)
    with packaged_daemon():
        status, output, _ = run(TOOL.with_name("core_cmap_tool"))
    assert status == 0, output


# ---- files of uidgid.d ----

def check_uidgid_dir(files):
    folder = CONF.parent / "uidgid.d"
    folder.mkdir()
    write(cases.conf(), files)
    for text in ("uidgid {\nuid: 7\n}\n", "uidgid {\nfoo: 1\n}\n", "totem {\nversion: 2\n}\n", "uidgid {\nuid: nosuch\n}\n",
                 "foo: 1\n", "uid: 5\n", "uidgid {\nsub {\n}\n}\n", "uidgid {\nuid: 5\n", "}\n", "{\n", ""):
        write(text, files, folder / "one")
        status, errors, _ = packaged(CONF)
        our_status, our_errors, _, _ = ours(CONF)
        assert status == our_status, (text, errors, our_errors)
        assert not errors or our_errors[0].startswith(errors[0]), (errors, our_errors)
    shutil.rmtree(folder)


def check_missing_file():
    status, errors, _ = packaged("/nonexistent")
    our_status, our_errors, _, _ = ours("/nonexistent")
    assert status == our_status == 8 and our_errors[0] == errors[0], (errors, our_errors)


def work(t, scratch):
    files = prepare(scratch)
    for group, table in cases.CASES.items():
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            found = [one for one in pool.map(lambda case: difference(*case, files), table.items()) if one]
        t.ok(not found, "%s: %d files" % (group, len(table)), "\n".join(found))
    for name, text in cases.STRICTER.items():
        write(text, files)
        status, errors, _, _ = ours(CONF)
        t.ok(status == 8 and errors, "refuses " + name, "%s %s" % (status, errors))
    with t.test("files of uidgid.d"):
        check_uidgid_dir(files)
    with t.test("a file that cannot be read"):
        check_missing_file()
    for name, text in KEYS.items():
        with t.test("keys: " + name):
            check_keys(text, files)
    for name, text in NOT_STARTED.items():
        with t.test("does not start: " + name):
            check_not_started(text, files)
    with t.test("the key/value map: the same answers, values and notices"):
        check_cmap(files)
    for name, text in RELOADS.items():
        with t.test("reload: " + name):
            check_reload(text, files)


def main():
    if not os.path.exists(PACKAGED):
        tap.skip_all("corosync is not installed")
    if os.geteuid() != 0:
        tap.skip_all("namespaces need root")
    global TOOL
    TOOL = TOOL.resolve()
    isolate.enter()
    with tempfile.TemporaryDirectory(prefix="qr-cf-") as scratch, tap.Tap() as t:
        work(t, pathlib.Path(scratch))


main()

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The certificate tools, killed amid their work: at every system call that changes what others can see, and at one of each
kind of those that fill files nobody sees yet (at all of them with Q_CRASH=all, some minutes; arguments are names of steps).
After each kill nothing has loose permissions, a database that exists is whole, and the same command again ends as if nothing
had happened.

strace counts the calls of one undisturbed run, then kills before the Nth of each kind, which is after the one before it. --join and --renew ask an
arbiter that runs beside them and is left alone.
"""

import dataclasses
import multiprocessing
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lab import isolate, runner  # noqa: E402
from tap import Tap, skip_all  # noqa: E402

BUILD = pathlib.Path(os.environ.get("Q_BUILD", ".")).resolve()
QNETD = str(BUILD / "corosync-qnetd-certutil")
DEVICE = str(BUILD / "corosync-qdevice-net-certutil")
DAEMON, ENROL = str(BUILD / "corosync-qnetd"), str(BUILD / "corosync-qnetd-enrol")
PLACE = pathlib.Path("/etc/corosync")
STATE = pathlib.Path("/var/lib/corosync-qnetd")
ARBITER, NODE = PLACE / "qnetd/nssdb", PLACE / "qdevice/net/nssdb"
ARBITER_PEM, NODE_PEM = PLACE / "qnetd/pem", PLACE / "qdevice/net/pem"
WORKERS = 2
COMMAND_S = 120
"""No command takes that long, under strace on a machine with other work neither."""
SILENCE_S = 600
EVERYTHING = os.environ.get("Q_CRASH") == "all"

VISIBLE = ("rename", "renameat", "renameat2", "mkdir", "mkdirat", "unlinkat", "rmdir", "chmod", "fchmodat", "fchownat", "link",
           "linkat", "symlink", "symlinkat")
HIDDEN = ("write", "pwrite64", "pwritev", "unlink", "ftruncate", "fchmod", "fchown", "chown", "fsync", "fdatasync", "fallocate")


@dataclasses.dataclass
class Step:
    """One command: what it starts from, and what must be there when it has been run again."""

    name: str
    argv: list
    database: pathlib.Path
    nicknames: frozenset
    """Of a database that is complete; empty: PEM."""
    before: pathlib.Path = None
    former: frozenset = frozenset()
    """Of the arbiter's database before a step in the change of authorities; every certificate of it has its key, before and after."""
    calls: dict = None
    asks: int = 0
    """An arbiter, which has the certificates of before and must not lose them; those with the same number one and the same."""


AUTHORITY = frozenset({"QNet CA", "QNetd Cert"})
BOTH = AUTHORITY | {"QNet CA (former)"}
TRUST = frozenset({"QNet CA"})
CLUSTER = frozenset({"QNet CA", "Cluster Cert"})


def quiet(argv, **options):
    return subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, cwd="/", timeout=COMMAND_S, **options)


def must(argv):
    done = quiet(argv)
    if done.returncode != 0:
        raise AssertionError(f"{argv}: status {done.returncode}: {done.stdout}")
    return done.stdout


def own_place():
    """A directory of certificates for this process alone."""
    isolate.unshare(isolate.CLONE_NEWNS)
    isolate.mount(None, "/", None, isolate.MS_REC | isolate.MS_PRIVATE)
    isolate.mount("tmpfs", str(PLACE), "tmpfs", 0, "mode=755")
    isolate.mount("tmpfs", str(STATE.parent), "tmpfs", 0, "mode=755")
    (PLACE / "qnetd").mkdir()


class Arbiter:
    """The daemon, for as long as the with statement lasts, with what is in its database now."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def __enter__(self):
        files = ",".join(f"{name}={self.folder}/{name}" for name in ("lock_file", "local_socket_file"))
        log = open(self.folder / "arbiter.log", "wb")  # pylint: disable=consider-using-with
        with log:
            # Not with a preexec_fn: here the queue has its thread already, so that Python may block for ever before it gets to it.
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", DAEMON, "-f", "-S", f"enrol_program={ENROL},{files}"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _wait(self):
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", 5403)).close()
                return
            except ConnectionRefusedError:
                assert time.monotonic() < end and self.process.poll() is None, (self.folder / "arbiter.log").read_text()
                time.sleep(0.02)

    def forgive(self):
        """Nobody has renewed, or come too often: another enrolment program serves from now on."""
        self.process.send_signal(signal.SIGHUP)


def own_network():
    """With nothing but loopback."""
    isolate.unshare(isolate.CLONE_NEWNET)
    must(["ip", "link", "set", "lo", "up"])


def restore_node(state):
    """Only what is the node's, and which codes were used."""
    for path, kept in ((PLACE / "qdevice", state / "place/qdevice"), (STATE / "invitations", state / "state" / STATE.name / "invitations")):
        shutil.rmtree(path, ignore_errors=True)
        if kept.exists():
            shutil.copytree(kept, path, symlinks=True)


def save(state):
    shutil.copytree(PLACE, state / "place", symlinks=True)
    shutil.copytree(STATE.parent, state / "state", symlinks=True)


def restore(state):
    for one in (*PLACE.iterdir(), *STATE.parent.iterdir()):
        shutil.rmtree(one)
    shutil.copytree(state / "place", PLACE, dirs_exist_ok=True, symlinks=True)
    shutil.copytree(state / "state", STATE.parent, dirs_exist_ok=True, symlinks=True)


def listed(database):
    """Nicknames, and the number of keys, as certutil shows them; None if the database cannot be used."""
    certificates = quiet(["certutil", "-L", "-d", database])
    keys = quiet(["certutil", "-K", "-d", database, "-f", database / "pwdfile.txt"])
    if certificates.returncode != 0:
        return None
    return frozenset(re.findall(r"^(\S.*?) +\w*,\w*,\w*\s*$", certificates.stdout, re.M)), len(re.findall(r"^<", keys.stdout, re.M))


def keys_match(database):
    """Whether the node's certificate in PEM has its key beside it, and the node what it is believed to trust."""
    own, authorities = database / "node.pem", database / "ca.pem"
    certificate = quiet(["openssl", "x509", "-in", own, "-noout", "-pubkey"]).stdout
    if quiet(["openssl", "pkey", "-in", own, "-pubout"]).stdout != certificate or "BEGIN PUBLIC KEY" not in certificate:
        return False
    return not authorities.exists() or quiet(["openssl", "verify", "-CAfile", authorities, own]).returncode == 0


def server_verifies(after_all):
    """Whether the arbiter's certificate in PEM has its key, is of an authority that is there, and each of these has its key."""
    own, keys = ARBITER_PEM / "server.pem", (ARBITER_PEM / "ca.key").read_text()
    good = quiet(["openssl", "pkey", "-in", own, "-pubout"]).stdout == quiet(["openssl", "x509", "-in", own, "-noout", "-pubkey"]).stdout
    good = good and quiet(["openssl", "verify", "-CAfile", ARBITER_PEM / "ca.pem", own]).returncode == 0
    authorities = (ARBITER_PEM / "ca.pem").read_text().count("BEGIN CERTIFICATE")
    return good and (keys.count("BEGIN") == authorities if after_all else keys.count("BEGIN") >= authorities)


def loose():
    """Files that everybody can read and should not, or that others than the owner can write."""
    found = []
    for path in (*PLACE.rglob("*"), *STATE.parent.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        public = path.is_dir() and path in (PLACE / "qnetd", PLACE / "qdevice", PLACE / "qdevice/net")
        public = public or path.name in ("qnetd-cacert.crt", "qnetd-cacert-next.crt", "ca.pem", "ca-next.pem", "signed", "packed")
        if mode & 0o022 or (mode & 0o007 and not public):
            found.append(f"{path} {mode:o}")
    return found


def check_whole(step, after_all):
    """Says what is wrong with the database, if anything. After a kill it may be the one from before, or not be there."""
    if step.nicknames:
        if not (step.database / "cert9.db").exists():
            return "no database" if after_all else None
        state = listed(step.database)
        if state is None:
            return "a database that cannot be opened"
        expected = {step.nicknames} if after_all else {step.nicknames, TRUST if step.nicknames == CLUSTER else step.nicknames}
        if step.former and not after_all:
            expected.add(step.former)
        if state[0] not in expected:
            return f"nicknames {sorted(state[0])}"
        if step.former and (state[1] < len(state[0]) or (after_all and state[1] > len(state[0]))):
            return f"{state[1]} keys of {len(state[0])} certificates"
        if after_all and (step.asks or step.name.startswith("-m")) and state[1] != 1:
            return f"{state[1]} keys"
        return None
    if step.database == ARBITER_PEM and not server_verifies(after_all):
        return "an arbiter's certificate that does not go with its key, or with its authorities and theirs"
    if (step.database / "node.pem").exists() and not keys_match(step.database):
        return "a certificate that does not go with its key, or with the authorities"
    return "no authority" if after_all and not (step.database / "ca.pem").exists() else None


def try_point(step, call, number, arbiter):
    """Kill before the number-th such call, look, run again, look; returns what is wrong."""
    if step.asks:
        restore_node(step.before)
        arbiter.forgive()
    else:
        restore(step.before)
    killed = quiet(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                    f"inject={call}:signal=KILL:when={number}", *step.argv])
    if killed.returncode not in (137, -9):
        return f"ended with status {killed.returncode} instead of being killed: {killed.stdout}"
    wrong = loose()
    if wrong:
        return "permissions: " + ", ".join(wrong)
    wrong = check_whole(step, False)
    if wrong:
        return "after the kill: " + wrong
    again = quiet(step.argv)
    complete = again.returncode == 1 and step.argv[1] == "-i" and "already exists" in again.stdout
    # Killed when all was done but to say so.
    complete = complete or (again.returncode == 3 and step.argv[1] == "--join" and "has its certificate already" in again.stdout)
    if again.returncode != 0 and not complete:
        return f"the next run ends with status {again.returncode}: {again.stdout}"
    wrong = check_whole(step, True)
    if wrong:
        return "after the next run: " + wrong
    left = [str(path) for path in PLACE.rglob("*")
            if (path.name.startswith(".") and not complete) or path.match("qdevice/net/enrol-*")]
    return "left behind: " + ", ".join(left) if left else None


def points(step):
    if sys.argv[1:] and step.name not in sys.argv[1:]:
        return
    # What asks goes through the same motions as -m, and a change of authorities through those of -i; what is their own is which file
    # gets its name when.
    few = step.asks or step.former
    visible = ("renameat",) if few else VISIBLE
    for call, count in sorted(step.calls.items()):
        if few and not EVERYTHING and call not in visible and call not in ("unlinkat", "write"):
            continue
        numbers = range(1, count + 1) if EVERYTHING or call in visible else [(count + 1) // 2]
        for number in numbers:
            yield call, number


def prepare(states):
    """Runs the whole flow once; notes the state before each step, and counts its calls."""
    steps = []

    def step(name, argv, database, nicknames, **more):
        one = Step(name, [str(word) for word in argv], database, nicknames, states / str(len(steps)), **more)
        save(one.before)
        trace = states / "trace"
        done = quiet(["strace", "-f", "--seccomp-bpf", "-qq", "-o", trace, "-e", "trace=" + ",".join(VISIBLE + HIDDEN), *one.argv])
        assert done.returncode == 0, f"{name}: {done.stdout}"
        names = re.findall(r"^\d+\s+(\w+)\(", trace.read_text(errors="replace"), re.M)
        one.calls = {call: names.count(call) for call in set(names)}
        steps.append(one)

    def new_certificate(*form):
        stored = re.findall(r"stored in (.+)", must([DEVICE, "-r", "-n", "c", *form]))[-1]
        shutil.copy(re.findall(r"stored in (.+)", must([QNETD, "-s", "-c", stored, "-n", "c", *form]))[-1], PLACE / "qnetd/signed")

    step("-i on the arbiter", [QNETD, "-i"], ARBITER, AUTHORITY)
    step("-i on a node", [DEVICE, "-i", "-c", ARBITER / "qnetd-cacert.crt"], NODE, TRUST)
    step("-r", [DEVICE, "-r", "-n", "c"], NODE, TRUST)
    step("-s", [QNETD, "-s", "-c", NODE / "qdevice-net-node.crq", "-n", "c"], ARBITER, AUTHORITY)
    step("--invite", [QNETD, "--invite", "c", "--node", "n1", "--node", "n2"], ARBITER, AUTHORITY)
    step("--revoke", [QNETD, "--revoke", "c"], ARBITER, AUTHORITY)
    step("-M", [DEVICE, "-M", "-c", ARBITER / "cluster-c.crt"], NODE, CLUSTER)
    # Another node, whose certificate is replaced.
    shutil.copy(NODE / "qdevice-net-node.p12", PLACE / "qnetd/packed")
    new_certificate()
    must([DEVICE, "-M", "-c", PLACE / "qnetd/signed"])
    shutil.copy(PLACE / "qnetd/packed", NODE / "packed-before")
    (NODE / "packed-before").chmod(0o600)
    step("-m, replacing another", [DEVICE, "-m", "-c", NODE / "packed-before"], NODE, CLUSTER)
    must([QNETD, "-i", "--pem"])
    must([DEVICE, "-i", "--pem", "-c", ARBITER_PEM / "ca.pem"])
    new_certificate("--pem")
    must([DEVICE, "-M", "--pem", "-c", PLACE / "qnetd/signed"])
    new_certificate("--pem")
    step("-M --pem, replacing another", [DEVICE, "-M", "--pem", "-c", PLACE / "qnetd/signed"], NODE_PEM, frozenset())
    shutil.rmtree(PLACE / "qdevice")
    (PLACE / "qdevice/net").mkdir(parents=True)
    codes = must([QNETD, "--invite", "c", "--node", "n1", "--node", "n2"]).split()
    codes = [word for word in codes if re.fullmatch(r"Q[0-9A-Z]{4}(-[0-9A-Z]{5}){5}", word)]
    with Arbiter(states):
        step("--join", [DEVICE, "--join", codes[0], "--host", "127.0.0.1"], NODE, CLUSTER, asks=1)
        step("--renew", [DEVICE, "--renew", "--host", "127.0.0.1"], NODE, CLUSTER, asks=1)
        shutil.rmtree(PLACE / "qdevice")
        (PLACE / "qdevice/net").mkdir(parents=True)
        step("--join --pem", [DEVICE, "--join", codes[1], "--host", "127.0.0.1", "--pem"], NODE_PEM, frozenset(), asks=1)
    step("--renew of the arbiter", [QNETD, "--renew"], ARBITER, AUTHORITY, former=AUTHORITY)
    step("--roll-over begin", [QNETD, "--roll-over", "begin"], ARBITER, BOTH, former=AUTHORITY)
    with Arbiter(states):
        step("--renew --pem, of two authorities", [DEVICE, "--renew", "--host", "127.0.0.1", "--pem"], NODE_PEM, frozenset(), asks=2)
    step("--roll-over cancel", [QNETD, "--roll-over", "cancel", "--force"], ARBITER, AUTHORITY, former=BOTH)
    restore(steps[-1].before)
    step("--roll-over change", [QNETD, "--roll-over", "change", "--force"], ARBITER, BOTH, former=BOTH)
    step("--roll-over finish", [QNETD, "--roll-over", "finish", "--force"], ARBITER, AUTHORITY, former=BOTH)
    for name in ("begin", "cancel", "change", "finish"):
        argv = [QNETD, "--pem", "--roll-over", name, "--force"]
        if EVERYTHING or name == "cancel":
            step(f"--roll-over {name} --pem", argv, ARBITER_PEM, frozenset())
        else:
            must(argv)
        if name == "cancel":
            restore(steps[-1].before)
    return steps


def try_points(steps, todo, results, arbiter):
    for index, call, n in todo:
        try:
            wrong = try_point(steps[index], call, n, arbiter)
        except Exception as error:  # pylint: disable=broad-except
            wrong = f"{type(error).__name__}: {error}"
        results.put((index, f"{call} {n}: {wrong}" if wrong else None))


def worker(steps, number, results):
    own_place()
    own_network()
    todo = [(index, call, n) for index, one in enumerate(steps) for call, n in points(one)][number::WORKERS]
    try_points(steps, [one for one in todo if not steps[one[0]].asks], results, None)
    for group in sorted({one.asks for one in steps if one.asks}):
        asking = [one for one in todo if steps[one[0]].asks == group]
        if not asking:
            continue
        restore(steps[asking[0][0]].before)
        with tempfile.TemporaryDirectory() as folder, Arbiter(pathlib.Path(folder)) as arbiter:
            try_points(steps, asking, results, arbiter)
    results.put(None)


def in_child(function, *arguments):
    child = multiprocessing.Process(target=function, args=arguments, daemon=True)
    child.start()
    return child


def next_word(results, children):
    """Of any of them. Who has failed said why on stderr, and nobody waits for the rest."""
    end = time.monotonic() + SILENCE_S
    while True:
        failed = [child.exitcode for child in children if child.exitcode]
        try:
            return results.get(timeout=0.2)
        except queue.Empty:
            assert not failed, f"a process of the test ended with status {failed[0]}"
            assert time.monotonic() < end, f"nothing was said in {SILENCE_S} s"


def prepare_in_child(states, results):
    own_place()
    own_network()
    results.put(prepare(states))


def main():
    if os.geteuid() != 0:
        skip_all("needs root (mount namespaces)")
    if os.environ.get("Q_SANITIZED"):
        skip_all("runs in the build without sanitizers, which is ten times as fast")
    if not all(map(shutil.which, ("strace", "certutil", "openssl", "ip", "setpriv"))):
        skip_all("needs strace, libnss3-tools, openssl, iproute2 and util-linux")
    foreign = runner.foreign_paths(BUILD)
    if foreign:
        skip_all("needs " + foreign)
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        results = multiprocessing.Queue()
        child = in_child(prepare_in_child, pathlib.Path(folder), results)
        steps = next_word(results, [child])
        child.join()
        children = [in_child(worker, steps, number, results) for number in range(WORKERS)]
        wrong, tried = {index: [] for index in range(len(steps))}, {index: 0 for index in range(len(steps))}
        for _ in children:
            while (result := next_word(results, children)) is not None:
                tried[result[0]] += 1
                wrong[result[0]] += [result[1]] if result[1] else []
        for index, step in enumerate(steps):
            if not tried[index] and sys.argv[1:]:
                continue
            total = sum(step.calls.values())
            tap.ok(not wrong[index] and tried[index], f"{step.name}, killed at {tried[index]} of {total} calls, is repaired by the next run",
                   "\n".join(wrong[index]))


if __name__ == "__main__":
    main()

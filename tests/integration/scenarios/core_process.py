# SPDX-License-Identifier: BSD-3-Clause
"""The process of our core: start and end in every way, who may connect, logs, and one ring whose daemons are replaced."""

import os
import signal

from lab.cluster import PACKAGED, program
from lab.cpg import Groups
from lab.host import wait_gone
from lab.wait import check, check_equal, wait_for

from . import register

_CONFIG = "/etc/corosync/corosync.conf"


def _cluster(lab, letters="o", start=True, **options):
    return lab.cluster(nodes=len(letters), device=False, start=start,
                       cores={i + 1: {"o": "ours", "p": "packaged"}[one] for i, one in enumerate(letters)}, **options)


def _edit(node, old, new):
    path = node.host.path("etc", "corosync.conf")
    text = path.read_text(encoding="ascii")
    check(old in text, f"{old!r} is not in the configuration")
    path.write_text(text.replace(old, new), encoding="ascii")


def _quorate(host):
    return "Quorate:          Yes" in host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out


def _pid(host):
    return int(host.run(["/usr/bin/cat", "/run/corosync.pid"], ok=True).out)


def _in_background(lab):
    """A scenario: see its registration."""
    node = _cluster(lab, start=False).nodes[1]
    host, ours = node.host, program("corosync-core", "ours")
    check_equal(host.run([ours]).status, 0, "exit status of a start into the background")
    wait_for("the daemon in the background to serve", lambda: _quorate(host), 10)
    pid = _pid(host)

    # One lock for both flavours.
    for second in (ours, PACKAGED["corosync-core"]):
        check_equal(host.run([second, "-f"]).status, 18, f"exit status of a second daemon, {second}")
    check_equal(_pid(host), pid, "process id after attempts to start another")

    check_equal(host.run(["/usr/sbin/corosync-cfgtool", "-H"]).status, 0, "corosync-cfgtool -H")
    wait_gone(pid, 10)
    check(host.run(["/usr/bin/test", "-e", "/run/corosync.pid"]).status != 0, "the lock file is left behind")

    # And the other way around.
    packaged = host.start([PACKAGED["corosync-core"], "-f"])
    wait_for("the packaged daemon to serve", lambda: _quorate(host), 10)
    check_equal(host.run([ours, "-f"]).status, 18, "exit status beside the packaged daemon")
    packaged.stop()


register("core_background", "Into the background and out of it; our core and the packaged one keep each other out.",
         _in_background)


def _faulty_configurations(lab):
    """A scenario: see its registration."""
    node = _cluster(lab, start=False).nodes[1]
    path = node.host.path("etc", "corosync.conf")
    good = path.read_text(encoding="ascii")
    ours = program("corosync-core", "ours")
    cases = (("version: 2", "version: 3", 8, "version 2"),
             ("token: 1000", "token: 5", 8, "corosync.conf:5"),
             ("to_syslog: no", "to_syslog: perhaps", 7, "logging.to_syslog"),
             ("provider: corosync_votequorum", "provider: corosync_votequorum\n    two_node: 1\n    device {\n        model: net\n    }",
              20, "two_node"),
             ("quorum {", "system {\n    state_dir: /nowhere\n}\nquorum {", 16, "/nowhere"),
             ("quorum {", "quorum", 8, "corosync.conf:"))
    for old, new, status, words in cases:
        check(old in good, f"{old!r} is not in the configuration")
        path.write_text(good.replace(old, new, 1), encoding="ascii")
        for options in ([], ["-f"], ["-t"]):
            result = node.host.run([ours, *options])
            if options == ["-t"] and status == 20:
                check_equal(result.status, 0, "-t does not look at votequorum, like the packaged daemon")
                continue
            check_equal(result.status, status, f"exit status {' '.join(options)} with {new!r}: {result.err}")
            check(words in result.err, f"{words!r} is not in {result.err!r}")
    path.write_text(good, encoding="ascii")
    check_equal(node.host.run([ours, "-t"]).status, 0, "-t with a good configuration")
    check_equal(node.host.run([ours, "-t", "-c", "/nowhere"]).status, 8, "-t without a file")


register("core_faulty_configuration",
         "What a start refuses is said on standard error, with the packaged exit status, in the foreground or not.",
         _faulty_configurations)


def _logs(lab):
    """A scenario: see its registration."""
    cluster = _cluster(lab, start=False)
    node = cluster.nodes[1]
    _edit(node, "to_logfile: no", "to_logfile: yes\n    logfile: /var/log/corosync/core.log\n"
                                  "    logger_subsys {\n        subsys: CFG\n        logfile: /var/log/corosync/cfg.log\n    }")
    cluster.start()
    cluster.wait_all()
    log, cfg = node.host.path("log", "corosync", "core.log"), node.host.path("log", "corosync", "cfg.log")
    check("[MAIN  ] Completed service synchronization, ready to provide service." in log.read_text(), log.read_text())

    log.rename(log.with_suffix(".old"))
    node.corosync.signal(signal.SIGHUP)
    wait_for("a new log file", log.exists, 5)
    node.host.run(["/usr/sbin/corosync-cfgtool", "-R"], ok=True)
    wait_for("the reload in the log of CFG", lambda: "[CFG   ] Config reload requested by node 1" in cfg.read_text(), 5)
    check("[CFG " not in log.read_text(), "lines of CFG are in the other file")

    # A key of the map counts at once, and wrong ones are not used.
    def cmap(key, value):
        node.host.run(["/usr/sbin/corosync-cmapctl", "-s", key, "str", value], ok=True)
    cmap("logging.debug", "on")
    cmap("logging.to_logfile", "perhaps")
    node.host.run(["/usr/sbin/corosync-cmapctl", "-d", "logging.to_logfile"], ok=True)
    cmap("logging.to_logfile", "yes")
    node.host.run(["/usr/sbin/corosync-cpgtool"], ok=True)
    wait_for("debug lines", lambda: " debug " in log.read_text(), 5)
    node.stop_corosync()


register("core_logs", "Log files of subsystems, SIGHUP after they were renamed, and settings changed in the map.", _logs)


def _access(lab):
    """A scenario: see its registration."""
    node = _cluster(lab).nodes[1]
    nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def connects():
        return node.host.run([*nobody, "/usr/sbin/corosync-cmapctl", "totem.version"]).status == 0
    check(not connects(), "a stranger is served")
    node.host.run(["/usr/sbin/corosync-cmapctl", "-s", "uidgid.gid.65534", "u8", "1"], ok=True)
    check(connects(), "a group that was let in is not served")
    node.host.run(["/usr/sbin/corosync-cmapctl", "-d", "uidgid.gid.65534"], ok=True)
    check(not connects(), "a group that was taken out again is served")

    folder = node.host.path("etc", "uidgid.d")
    folder.mkdir()
    (folder / "somebody").write_text("uidgid {\n    uid: 65534\n}\n", encoding="ascii")
    node.host.run(["/usr/sbin/corosync-cfgtool", "-R"], ok=True)
    wait_for("the user of a file in uidgid.d to be served", connects, 5)
    node.stop_corosync()


register("core_access", "Who may connect: nobody but root, then a group by a key, then a user by a file and a reload.", _access)


def _ends_of_clients(lab):
    """A scenario: see its registration."""
    node = _cluster(lab).nodes[1]
    before = len(os.listdir(f"/proc/{node.corosync.pid}/fd"))
    clients = [node.host.start([lab.watcher], log="client") for _ in range(12)]

    def connected():
        out = node.host.run(["/usr/sbin/corosync-cmapctl", "-m", "stats", "stats.ipcs.global.active"], ok=True).out
        return int(out.split()[-1]) - 1
    wait_for("the clients to be connected", lambda: connected() == 13, 10)  # and the watcher
    for one in clients:
        one.kill()
    wait_for("the daemon to notice", lambda: connected() == 1, 10)
    wait_for("descriptors to be given back", lambda: len(os.listdir(f"/proc/{node.corosync.pid}/fd")) <= before + 1, 10)
    left = node.host.run(["/bin/sh", "-c", "ls /dev/shm | grep -c ^qb-"]).out.split()[0]
    check(int(left) <= 1, f"{left} rings of clients are left in /dev/shm")
    node.stop_corosync()


register("core_clients_die", "Clients that are killed leave nothing behind.", _ends_of_clients)


def _stopped_client(lab):
    """A scenario: see its registration."""
    cluster = _cluster(lab)
    groups = Groups(cluster)
    talker = groups.add(1, "g", 60000, 100)
    stopped = groups.add(1, "g", 100, 1000000)
    groups.settle()
    stopped.process.signal(signal.SIGSTOP)
    goal = talker.sent_count() + 4000  # far more than may wait for all before those who send are slowed down
    talker.talk()
    wait_for("the other client to go on", lambda: talker.sent_count() >= goal, 60)
    stopped.process.signal(signal.SIGCONT)
    groups.settle()
    groups.check()

    def told(client):
        return sum(line.startswith("message ") for line in client.lines())
    wait_for("what had waited for the stopped client", lambda: told(stopped) == talker.sent_count(), 10)


register("core_client_stopped",
         "A client that is stopped holds up nobody else, and gets all that it has missed when it goes on.", _stopped_client)


def _rolling(lab):
    """A scenario: see its registration."""
    cluster = _cluster(lab, "ppp")
    for flavour in ("ours", "packaged"):
        for i, node in cluster.nodes.items():
            others = [j for j in cluster.nodes if j != i]
            node.stop_corosync()
            cluster.wait_quorate(others)
            node.start_corosync(flavour)
            cluster.wait_all()


register("core_rolling_replacement",
         "Three packaged daemons are replaced one by one by ours and back: two of three always have quorum.", _rolling)

# SPDX-License-Identifier: BSD-3-Clause
"""What is tried inside the machine that run.py boots: `guest.py PLAY MACHINE`, as root under its systemd.

Each line of the answer is "ok ...", "not ok ...", or a note that begins with "#"; the last one is "end".
"""
import os
import re
import subprocess
import sys
import time
import traceback

SLOW = 6 if sys.argv[2] == "qemu" else 1
DEADLINE_S = 40 * SLOW
# A container may lack the capability to raise limits, and must not write to the host's control groups.
WHOLE = sys.argv[2] == "qemu"
UNITS = ("corosync-core", "corosync-qdevice", "corosync-qnetd")
CONFIG = """totem {
    version: 2
    cluster_name: trial
    transport: knet
    token: %d
}
nodelist {
    node {
        ring0_addr: 127.0.0.1
        name: trial
        nodeid: 1
    }
}
quorum {
    provider: corosync_votequorum
%s}
system {
%s}
logging {
    to_syslog: yes
    to_stderr: no
}
"""
DEVICE = """    device {
        model: net
        votes: 1
        net {
            host: 127.0.0.1
            algorithm: ffsplit
            tie_breaker: lowest
        }
    }
"""


def note(text):
    for line in str(text).splitlines():
        print("# " + line)


def check(good, name, detail=""):
    print(("ok - " if good else "not ok - ") + name)
    if not good:
        note(detail)
    return good


def run(command, timeout_s=240):
    """Exit status and output of a command line."""
    try:
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout_s * SLOW, check=False)
    except subprocess.TimeoutExpired as late:
        return -1, f"{late}\n{late.stdout}"
    return done.returncode, done.stdout


def output(command):
    return run(command)[1].strip()


def does(command, name=None):
    status, text = run(command)
    return check(status == 0, name or command, f"status {status}: {text}\n{recent()}")


def recent():
    """The last lines of the journal that concern us."""
    return output("journalctl --no-pager | grep -F corosync | tail -12")


def holds(name, condition, deadline_s=DEADLINE_S):
    """Wait for it."""
    end = time.monotonic() + deadline_s
    while not (good := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return check(bool(good), name, "" if good else recent())


def show(unit, key):
    return output(f"systemctl show -p {key} --value {unit}")


def own(unit):
    return show(unit, "Id") or unit


def active(unit):
    return output(f"systemctl is-active {unit}")


def pid(unit):
    return int(show(unit, "MainPID") or 0)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def quorate():
    return re.search(r"^Quorate:\s+Yes", output("corosync-quorumtool -s"), re.M)


def device_votes():
    return re.search(r"^\s+0\s+1\s+Qdevice", output("corosync-quorumtool -s"), re.M)


def configure(device=False, system="", token=1000):
    os.makedirs("/etc/corosync", exist_ok=True)
    with open("/etc/corosync/corosync.conf", "w", encoding="utf-8") as file:
        file.write(CONFIG % (token * SLOW, DEVICE if device else "", system))


class Journal:
    """What has been written since the last look."""

    def __init__(self):
        self.since = f"@{time.time():.6f}"  # a cursor would do, but journalctl loses the first line after it that is chosen

    def text(self, unit=None, options=""):
        """By the unit's own name: journalctl knows no aliases; in the root control group the core's lines have none."""
        run("journalctl --sync")
        name = own(unit) if unit else ""
        chosen = f"_SYSTEMD_UNIT={name} + UNIT={name} _PID=1" if unit else ""
        if name == "corosync-core.service":
            chosen += " + SYSLOG_IDENTIFIER=corosync"
        return output(f"journalctl --no-pager --since={self.since} {options} {chosen}")


def section(name):
    run("systemctl reset-failed 'corosync*'")  # and the count of starts: here they come faster than in life
    note(f"---- {name}")


def install():
    """As `make install` on a running machine."""
    if not does("tar -C /opt/ours -c . | tar -C / -x --keep-directory-symlink && systemctl daemon-reload",
                "make install, daemon-reload"):
        raise RuntimeError("without our programs the rest says nothing")
    done = output("systemctl --version | head -1; uname -r; stat -fc %T /sys/fs/cgroup; systemd-detect-virt")
    note(done.replace("\n", ", "))


def reloads(unit):
    """The signal has come, and what it stands for has been done."""
    before = pid(unit)
    journal = Journal()
    does(f"systemctl reload {unit}")
    holds("it has read its certificates again", lambda: "Reload: new connections use the " in journal.text(unit))
    check(active(unit) == "active" and pid(unit) == before, "and goes on")


def units():
    section("unit files")
    for unit in UNITS:
        status, text = run(f"systemd-analyze verify --man=no {unit}.service")
        check(status == 0 and not text.strip(), f"systemd has no complaint about {unit}.service", text)
        note(output(f"systemd-analyze security --no-pager {unit}.service | tail -1"))


def scheduling(journal, expect_root):
    number = pid("corosync")
    stat = output(f"chrt -p {number}")
    check("SCHED_RR" in stat and stat.endswith("99"), "the core runs in real time, SCHED_RR 99", stat)
    status = read(f"/proc/{number}/status")
    locked = int((re.search(r"^VmLck:\s+(\d+)", status, re.M) or [0, 0])[1])
    resident = int((re.search(r"^VmRSS:\s+(\d+)", status, re.M) or [0, 0])[1])
    if WHOLE:
        check(locked > 5000, f"its memory is locked: VmLck {locked} kB, VmRSS {resident} kB", journal.text("corosync"))
        check(read(f"/proc/{number}/oom_score_adj").strip() == "-900", "its oom_score_adj is -900")
    else:
        note(f"not judged: VmLck {locked} kB, VmRSS {resident} kB, oom_score_adj " + read(f"/proc/{number}/oom_score_adj").strip())
    groups = read(f"/proc/{number}/cgroup")
    lines = [line for line in groups.splitlines() if re.match(r"0::|\d+:(cpu|name=systemd):", line)]
    note("control groups: " + ", ".join(lines))
    moved = "Moved into the root control group" in journal.text("corosync")
    if WHOLE:
        check(moved == expect_root and ("0::/" in lines) == expect_root,
              "it is " + ("" if expect_root else "not ") + "in the root control group", journal.text("corosync"))
        quiet("corosync", journal)


def quiet(unit, journal):
    """Neither it nor systemd has anything to complain about."""
    bad = journal.text(unit, "-p warning")
    if not WHOLE:  # a container may not raise the limit: that is told, and no fault of ours
        bad = "\n".join(line for line in bad.splitlines() if "RLIMIT_MEMLOCK" not in line)
    check("-- No entries --" in bad or not bad, f"no warnings about {unit}", bad)


def core_alone():
    section("a cluster of one node")
    configure()
    check(show("corosync", "Id") == "corosync-core.service", "corosync.service is corosync-core.service", show("corosync", "Id"))
    journal = Journal()
    does("systemctl start corosync")
    check(active("corosync-core") == "active", "it is active under its own name")
    if not holds("quorate by corosync-quorumtool", quorate):
        raise RuntimeError("without a core the rest says nothing")
    scheduling(journal, expect_root=False)
    note(journal.text("corosync"))

    section("stop, start, restart, reload")
    journal = Journal()
    does("systemctl stop corosync")
    check(show("corosync", "Result") == "success" and show("corosync", "ExecMainStatus") == "0", "it has left in order",
          journal.text("corosync"))
    quiet("corosync", journal)
    note(journal.text("corosync"))
    does("systemctl start corosync && systemctl restart corosync", "start, restart")
    holds("quorate again", quorate)
    journal = Journal()
    run("echo sample | systemd-cat -t corosync -p warning")
    check("sample" in journal.text("corosync", "-p warning"), "a warning would be found", journal.text())
    check(show("corosync", "CanReload") == "no", "there is no systemctl reload, as with the packaged unit")
    does("corosync-cfgtool -R", "corosync-cfgtool -R reloads")

    section("the core is killed")
    before, started = pid("corosync"), int(show("corosync", "NRestarts"))
    journal = Journal()
    does("systemctl kill -s KILL corosync")
    holds("systemd has started it again", lambda: active("corosync") == "active" and pid("corosync") not in (0, before))
    check(int(show("corosync", "NRestarts")) == started + 1, "once", show("corosync", "NRestarts"))
    holds("quorate after the crash", quorate)
    note(journal.text("corosync"))

    section("in the root control group")
    configure(system="    move_to_root_cgroup: yes\n")
    journal = Journal()
    does("systemctl restart corosync")
    holds("quorate", quorate)
    scheduling(journal, expect_root=True)
    before = pid("corosync")
    if WHOLE:
        is_heard("corosync")
        check(pid("corosync") == before, "and leaves it alone", journal.text("corosync"))
    does("systemctl kill -s KILL corosync")
    holds("systemd sees its death there too", lambda: active("corosync") == "active" and pid("corosync") not in (0, before))
    journal = Journal()
    does("systemctl stop corosync")
    check(show("corosync", "Result") == "success", "and stops it", journal.text("corosync"))
    check(not output("pgrep -x corosync-core"), "nothing of it is left", output("ps ax"))

    section("what is not started again")
    with open("/etc/corosync/corosync.conf", "a", encoding="utf-8") as file:
        file.write("nonsense {\n")
    journal = Journal()
    status, text = run("systemctl start corosync")
    check(status != 0, "a bad configuration is refused", text)
    # One that is to be started again is "activating" from its end on.
    check(active("corosync") == "failed" and show("corosync", "NRestarts") == "0", "and it stays so",
          output("systemctl --no-pager status corosync"))
    check("corosync.conf" in journal.text("corosync"), "the journal names the fault", journal.text("corosync"))
    note(journal.text("corosync"))
    configure()


def is_heard(unit):
    """The watchdog hears of it, once more than before."""
    before = show(unit, "WatchdogTimestampMonotonic")
    return holds(f"the watchdog hears of {unit}", lambda: show(unit, "WatchdogTimestampMonotonic") not in ("", "0", before))


def watchdog(unit, back):
    """A daemon that stands still is killed and started again; that takes WatchdogSec and a little."""
    limit = show(unit, "WatchdogUSec")
    section(f"watchdog of {unit}: {limit}")
    is_heard(unit)
    before = pid(unit)
    journal = Journal()
    start = time.monotonic()
    os.kill(before, 19)
    holds(f"{unit} was stopped by SIGSTOP: systemd has another one",
          lambda: active(unit) == "active" and pid(unit) not in (0, before), 160 + DEADLINE_S)
    note(f"after {time.monotonic() - start:.0f} s")
    holds("and all is well", back)
    note(journal.text(unit))


def arbiter():
    section("the arbiter, where no user coroqnetd was")
    if not output("getent passwd coroqnetd"):
        status, _ = run("systemctl start corosync-qnetd")
        note(f"without systemd-sysusers: start ends with status {status}, "
             f"{show('corosync-qnetd', 'Result')}, {show('corosync-qnetd', 'ExecMainStatus')}")
        run("systemctl stop corosync-qnetd; systemctl reset-failed corosync-qnetd")
        does("systemd-sysusers")
    check("coroqnetd" in output("getent passwd coroqnetd"), "there is a user coroqnetd")
    does("corosync-qnetd-certutil -i")
    journal = Journal()
    does("systemctl enable --now corosync-qnetd", "systemctl enable --now corosync-qnetd")
    does("corosync-qnetd-tool -s")
    for folder in ("/run/corosync-qnetd", "/var/lib/corosync-qnetd"):
        check("coroqnetd" in output(f"stat -c '%U %a' {folder}"), f"{folder} is its own", output(f"stat -c '%U %a' {folder}"))
        note(folder + " " + output(f"stat -c '%U:%G %a' {folder}"))
    reloads("corosync-qnetd")
    quiet("corosync-qnetd", journal)
    code = re.search(r"\b(?:[0-9A-Z]{5}-)+[0-9A-Z]{5}\b", output("corosync-qnetd-certutil --invite trial"))
    if not check(code, "an invitation is made"):
        note(output("corosync-qnetd-certutil --invite trial"))
        return
    configure(device=True)
    does(f"corosync-qdevice-net-certutil --join {code.group(0)} --host 127.0.0.1 -n trial", "the node joins with it")
    quiet("corosync-qnetd", journal)
    note(journal.text("corosync-qnetd"))


def device():
    section("the device")
    journal = Journal()
    does("systemctl stop corosync; systemctl start corosync-qdevice", "systemctl start corosync-qdevice")
    check(active("corosync") == "active", "it has brought the core with it")
    holds("the device's vote has arrived", device_votes)
    quiet("corosync-qdevice", journal)
    quiet("corosync", journal)
    note(output("ps -eo pid,ppid,cls,rtprio,user,cgroup,args | grep -E 'PID|corosync' | grep -v grep"))
    note(journal.text("corosync-qdevice"))
    reloads("corosync-qdevice")
    holds("the device's vote is there", device_votes)

    section("stop and start of the device, processes it leaves")
    journal = Journal()
    does("systemctl restart corosync-qdevice")
    holds("the vote is back", device_votes)
    does("systemctl stop corosync-qdevice")
    holds("no process of it is left", lambda: not output("pgrep -x corosync-qdevi"))
    check(active("corosync") == "active", "the core goes on")
    does("systemctl start corosync-qdevice")
    holds("the vote is back", device_votes)
    quiet("corosync-qdevice", journal)

    section("the device is killed")
    journal = Journal()
    before = pid("corosync-qdevice")
    does("systemctl kill -s KILL --kill-who=main corosync-qdevice")
    holds("systemd has started it again",
          lambda: active("corosync-qdevice") == "active" and pid("corosync-qdevice") not in (0, before))
    holds("the vote is back", device_votes)
    note(journal.text("corosync-qdevice"))
    note(output("ps -eo pid,ppid,args | grep corosync-qdevice | grep -v grep"))

    section("the core stops, restarts, dies under the device")
    journal = Journal()
    does("systemctl stop corosync")
    check(active("corosync-qdevice") == "inactive", "systemctl stop corosync stops the device too",
          active("corosync-qdevice"))
    check(show("corosync-qdevice", "Result") == "success", "in order")
    holds("no process of it is left", lambda: not output("pgrep -x corosync-qdevi"))
    quiet("corosync-qdevice", journal)
    does("systemctl start corosync-qdevice")
    holds("the vote is back", device_votes)
    before = pid("corosync-qdevice")
    does("systemctl restart corosync")
    holds("restarting the core restarts the device",
          lambda: active("corosync-qdevice") == "active" and pid("corosync-qdevice") not in (0, before))
    holds("the vote is back", device_votes)
    before = pid("corosync")
    journal = Journal()
    does("systemctl kill -s KILL corosync")
    holds("a crash of the core: both come back", lambda: active("corosync") == "active" and pid("corosync") not in (0, before)
          and active("corosync-qdevice") == "active")
    holds("the vote is back", device_votes)
    note(journal.text())

    section("the arbiter is killed and restarted")
    before = pid("corosync-qnetd")
    does("systemctl kill -s KILL corosync-qnetd")
    holds("systemd has started it again",
          lambda: active("corosync-qnetd") == "active" and pid("corosync-qnetd") not in (0, before))
    check(output("ls /run/corosync-qnetd/"), "its runtime directory has survived")
    holds("the vote is back", device_votes)
    does("systemctl restart corosync-qnetd")
    holds("the vote is back", device_votes)
    note(output("systemctl show -p TasksCurrent -p MemoryCurrent corosync-core corosync-qdevice corosync-qnetd"))


def watchdogs():
    for unit in ("corosync-qdevice", "corosync", "corosync-qnetd"):
        watchdog(unit, device_votes)


def fresh():
    check(not os.path.exists("/lib/systemd/system/corosync.service"), "no packaged corosync here")
    install()
    status, text = run("systemctl start corosync")
    note(f"before enable: systemctl start corosync ends with status {status}: {text}")
    does("systemctl enable corosync-core", "enable makes the alias corosync.service")
    units()
    core_alone()
    arbiter()
    device()
    watchdogs()


def pacemaker():
    section("Pacemaker")
    journal = Journal()
    does("systemctl start pacemaker")
    check(show("corosync", "Id") == "corosync-core.service" and active("corosync") == "active", "it has our core under it")
    holds("it sees quorum", lambda: "partition with quorum" in output("crm_mon -1"), 3 * DEADLINE_S)
    quiet("corosync", journal)
    before = pid("pacemaker")
    does("systemctl restart corosync")
    holds("restarting the core restarts Pacemaker",
          lambda: active("pacemaker") == "active" and pid("pacemaker") not in (0, before), 3 * DEADLINE_S)
    does("systemctl stop corosync")
    check(active("pacemaker") == "inactive", "stopping the core has stopped Pacemaker first", active("pacemaker"))


def packaged_runs():
    return "/usr/sbin/corosync " in show("corosync", "ExecStart") and active("corosync") == "active"


def both_cores():
    section("ours is started beside the packaged one that runs")
    journal = Journal()
    status, text = run("systemctl start corosync-core")
    check(status != 0, "ours does not start", text)
    note(f"it says: {journal.text('corosync-core', '-o cat')}")
    check(show("corosync-core", "NRestarts") == "0", "nor is it tried again and again", show("corosync-core", "NRestarts"))
    check(packaged_runs() and quorate(), "the packaged one has not noticed")


def change_over():
    section("from the packaged core to ours")
    does("systemctl stop corosync && systemctl enable corosync-core && systemctl start corosync",
         "stop corosync, enable corosync-core, start corosync")
    check(own("corosync") == "corosync-core.service", "corosync.service is ours now", own("corosync"))
    holds("quorate", quorate)
    check(not output("pgrep -x corosync"), "nothing of the packaged one is left", output("ps ax"))


def change_back():
    section("and back")
    does("systemctl disable --now corosync-core && systemctl start corosync", "disable --now corosync-core, start corosync")
    check(packaged_runs(), "corosync.service is the packaged one again", output("systemctl --no-pager status corosync"))
    holds("quorate", quorate)


def in_the_wrong_order():
    """Only told: what becomes of the packaged daemon when its unit's name is taken from it while it runs."""
    section("corosync-core is enabled while the packaged core runs")
    note(output("systemctl enable corosync-core"))
    note(output("systemctl show -p Id -p ActiveState -p MainPID corosync; pgrep -ax corosync; pgrep -ax corosync-core"))
    note(output("systemctl restart corosync"))
    note(output("systemctl show -p Id -p ActiveState -p MainPID corosync; pgrep -ax corosync; pgrep -ax corosync-core"))
    holds("after a restart there is one core, and it is quorate",
          lambda: quorate() and len(output("pgrep -x 'corosync|corosync-core'").split()) == 1)


def beside():
    section("the packaged programs run")
    configure()
    does("systemctl restart corosync")
    check(packaged_runs(), "the packaged core runs")
    holds("quorate", quorate)
    install()
    both_cores()
    change_over()
    units()
    pacemaker()
    change_back()
    in_the_wrong_order()


def main():
    note(output("systemctl is-system-running; systemctl --failed --no-legend --no-pager"))
    try:
        {"fresh": fresh, "beside": beside}[sys.argv[1]]()
    except Exception:  # pylint: disable=broad-except  (whatever it is, it is told)
        check(False, "the play runs to its end", traceback.format_exc())
    print("end")


main()

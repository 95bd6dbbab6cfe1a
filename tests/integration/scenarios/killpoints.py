# SPDX-License-Identifier: BSD-3-Clause
"""The arbiter killed at every point of a decision: before the n-th message it sends or file it writes after the cut.

strace, attached when all is quiet, delivers SIGKILL on entry to the n-th such system call. H is long, so that hardly an
echo falls into the decision. Together the scenarios cover one decision from its first reply to its last vote."""

from lab.wait import Failure, wait_for

from . import register

_CALLS = "write,writev,sendto,sendmsg,rename,renameat,renameat2,fsync,fdatasync,unlink,unlinkat"
_POINTS = range(1, 11)
_ATTACHED_S = 5
_DECISION_S = 8


def _killed_before(number):
    def run(lab):
        arbiter = lab.arbiter(lab.flavour, quiet=True)
        cluster = lab.cluster(timeout_ms=5000, sync_timeout_ms=20000)
        tracer = arbiter.host.start(
            ["/usr/bin/strace", "-f", "-o", "/var/log/trace", "-e", f"trace={_CALLS}",
             "-e", f"inject={_CALLS}:signal=KILL:when={number}", "-p", arbiter.process.pid])
        wait_for("strace to attach", lambda: "attached" in tracer.text(), _ATTACHED_S)
        arbiter.meant_to_run = False
        cluster.cut([1], [2])
        try:
            wait_for("the arbiter to reach its end", lambda: not arbiter.process.running, _DECISION_S)
            lab.note(f"arbiter killed before call {number}")
        except Failure:
            lab.note(f"the decision has fewer than {number} calls")
            tracer.stop()
            arbiter.kill()
        calls = arbiter.host.path("log", "trace").read_text(errors="replace").splitlines()
        lab.note("its last calls: " + "; ".join(line[:60] for line in calls[-3:]))
        arbiter.start()
        cluster.wait_quorate([1], not_quorate=[2])
        cluster.wait_votes({1: "ACK", 2: "NACK"})
        cluster.heal()
        cluster.wait_all()
    return run


for _number in _POINTS:
    register(f"killed_before_call_{_number:02}",
             f"Two nodes are cut apart, the arbiter is killed on entry to its system call number {_number} after that, and "
             "started again: never are both halves quorate, and the favourite wins.",
             _killed_before(_number), ours_only=True)

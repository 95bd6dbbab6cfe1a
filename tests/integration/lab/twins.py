# SPDX-License-Identifier: BSD-3-Clause
"""Two clusters side by side with the same configuration, one of packaged cores and one of ours, to which the same things
happen; after each of them the packaged tools and clients must say the same of both.

    twins = Twins(lab, nodes=2, quorum={"two_node": 1})
    twins.play((("boot 1", "1: no 2 1 1"), ("boot 2", "1,2: yes 2 2 1"), ("cut 1 | 2", "1,2: yes 2 1 1")))

A step is what happens, and what `corosync-quorumtool -s` must then say of the nodes that live: quorate, expected votes, total
votes, quorum, and perhaps how it stands with its quorum device (the column "Qdevice" of its own line). Both clusters are waited for
until they say so and all rings are what the network allows; then all of these are compared, on all nodes that live:

  * `corosync-quorumtool` -s and -l, -s for the next node, with exit statuses; but for the date, and the ring's sequence number;
  * the keys under runtime.votequorum.;
  * what clients of votequorum were told since the step before, on all nodes: rings and quorum in their order, expected votes.
    Of a node that has just started, of each kind the last word: what comes before depends on when the client was let in. The same of
    all nodes when several start in one step: whether they come together or one after the other, and in which order, is a matter of
    which boots faster.

Of expected votes it counts which were told, and which last: a packaged node believes what it has said before its expected votes rose,
when that comes back to it, and then they rise once more; and where several nodes read their configuration anew, each announces
what it finds, in an order of its own. They have no fixed place among the rings either: a newcomer's first word is sent at its
start, and comes before the ring, if the ring is quick, else after it. A ring that is formed anew with the same members, because the
machine was busy, is no event.

What can happen:

    boot IDS           kill IDS (SIGKILL)       leave IDS (SIGTERM)      shutdown ID (corosync-cfgtool -H)
    order ID from ID   (corosync-cfgtool -k)    cut GROUP | GROUP        heal
    tool ID: OPTIONS   corosync-quorumtool      key ID: KEY TYPE VALUE   corosync-cmapctl -s
    reload [ID]: OLD -> NEW (ID asks, if any)   hold SECONDS (nothing may change)
    reload-late IDS by ID: OLD -> NEW           (ID asks when the files of IDS are changed, and when all are)
    device IDS [OPTIONS]   (packaged; starts)   device-leaves IDS        device-killed IDS
    device-freezes IDS (SIGSTOP)                device-thaws IDS (SIGCONT)
"""

import itertools
import re
import signal

from .cluster import PACKAGED
from .wait import Failure, check, check_equal, now_ns, pause_ms, wait_for

FLAVOURS = ("packaged", "ours")
_SETTLED_S = 20
HEARD_MS = 1000
_QUORUMTOOL = "/usr/sbin/corosync-quorumtool"
_QUESTIONS = f"""
for options in -s -l '-s -n {{other}}'; do
    echo "ASKED corosync-quorumtool $options"; {_QUORUMTOOL} $options 2>&1; echo "status $?"
done
echo ASKED keys; /usr/sbin/corosync-cmapctl runtime.votequorum.
"""
_FIELDS = {"Quorate": r"(Yes|No)", "Expected votes": r"(\d+)", "Total votes": r"(\d+)", "Quorum": r"(\d+) "}


def _ids(text):
    return [int(word) for word in re.findall(r"\d+", text)]


def _wanted(text):
    """{node id: (quorate, expected votes, total votes, quorum[, device])} of e.g. "1,2: yes 3 2 2; 3: no 3 1 2 NA,NV,NMW"."""
    wanted = {}
    for part in filter(None, text.split(";")):
        ids, words = part.split(":")
        wanted.update({i: tuple(words.split()) for i in _ids(ids)})
    return wanted


def _shown(text):
    """The same of what corosync-quorumtool -s says; () if it says something else."""
    found = [re.search(rf"^{name}: +{pattern}", text, re.MULTILINE) for name, pattern in _FIELDS.items()]
    device = re.search(r"^ +\d+ +\d+ +(\S+) \S+ \(local\)$", text, re.MULTILINE)
    return (*(match[1].lower() for match in found), device and device[1]) if all(found) else ()


def _even(text):
    """Without what is of one moment or one cluster."""
    text = re.sub(r"^Date: .*$", "Date:", text, flags=re.MULTILINE)
    return re.sub(r"^(Ring ID: +[0-9a-f]+)\.[0-9a-f]+$", r"\1.SEQ", text, flags=re.MULTILINE)


def _plain(values):
    """An event as text, without the ring's number; the packaged core lists nodes in an order of its own."""
    return " ".join(f"{what}={','.join(sorted(value.split(',')))}" for what, value in values.items() if what != "id")


def _differences(what, packaged, ours):
    """In words; empty if they are the same."""
    if packaged == ours:
        return ""
    return f"{what}:\n  packaged: {packaged}\n  ours:     {ours}\n"


class Twins:
    """See the module."""

    def __init__(self, lab, **config):
        lab.safety_demanded = False  # two_node without fencing is not safe, nor are some of the others
        self.lab = lab
        ids = range(1, config["nodes"] + 1)
        self.clusters = {flavour: lab.cluster(start=False, name=flavour, first_host=10 * index, transport="udpu", real_time=True,
                                              cores={i: flavour for i in ids}, **config)
                         for index, flavour in enumerate(FLAVOURS)}
        self.living = set()
        self.booted = set()
        self.groups = [set(ids)]
        self.marks = {(flavour, i): 0 for flavour in FLAVOURS for i in ids}
        self.last = {(flavour, i): {} for flavour in FLAVOURS for i in ids}

    def play(self, steps):
        """One step after the other."""
        for number, (act, wanted) in enumerate(steps):
            self.lab.note(f"step {number}: {act}")
            verb, rest = re.fullmatch(r"(?s)([a-z-]+) ?(.*)", act).groups()
            said = [getattr(self, "_" + verb.replace("-", "_"))(cluster, rest) for cluster in self.clusters.values()]
            what = f"step {number}, {act}"
            differences = _differences("answer", *said)
            self._settle(what, _wanted(wanted))
            differences += self._compare_told() + self._compare_asked()
            check(not differences, f"{what}: not the same\n{differences}")
            self.booted = set()

    # ---- what can happen; each gives what is to be compared ----

    def _boot(self, cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].start_corosync()
        self.living |= set(_ids(rest))
        self.booted = set(_ids(rest))

    def _gone(self, cluster, i):
        wait_for(f"clients of node {i} to notice its end", lambda: not cluster.nodes[i].watch.update().connected, _SETTLED_S)
        self.living.discard(i)

    def _kill(self, cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].corosync.kill()
            self._gone(cluster, i)

    def _leave(self, cluster, rest):
        said = []
        for i in _ids(rest):
            said.append(cluster.nodes[i].corosync.stop())
            self._gone(cluster, i)
        return said

    def _shutdown(self, cluster, rest):
        i = int(rest)
        result = cluster.nodes[i].host.run(["/usr/sbin/corosync-cfgtool", "-H"])
        status = cluster.nodes[i].corosync.wait(_SETTLED_S)
        self._gone(cluster, i)
        return repr(result), status

    def _order(self, cluster, rest):
        i, by = _ids(rest)
        result = cluster.nodes[by].host.run(["/usr/sbin/corosync-cfgtool", "-k", str(i)])
        status = cluster.nodes[i].corosync.wait(_SETTLED_S)
        self._gone(cluster, i)
        return repr(result), status

    def _cut(self, cluster, rest):
        groups = [_ids(group) for group in rest.split("|")]
        cluster.cut(*groups)
        self.groups = [set(group) for group in groups]

    def _heal(self, cluster, _):
        cluster.heal()
        self.groups = [set(cluster.nodes)]

    @staticmethod
    def _tool(cluster, rest):
        i, options = rest.split(":")
        result = cluster.nodes[int(i)].host.run([_QUORUMTOOL, *options.split()])
        return result.status, _even(result.out), result.err

    @staticmethod
    def _key(cluster, rest):
        i, words = rest.split(":")
        return repr(cluster.nodes[int(i)].host.run(["/usr/sbin/corosync-cmapctl", "-s", *words.split()]))

    @staticmethod
    def _edit(cluster, ids, change):
        old, new = (text.strip() for text in change.split("->"))
        for i in ids:
            path = cluster.nodes[i].host.path("etc", "corosync.conf")
            text = path.read_text(encoding="ascii")
            check(old in text, f"{old} in {path}")
            path.write_text(text.replace(old, new), encoding="ascii")

    @staticmethod
    def _ask_reload(cluster, i):
        return repr(cluster.nodes[int(i)].host.run(["/usr/sbin/corosync-cfgtool", "-R"]))

    def _reload(self, cluster, rest):
        by, change = rest.split(":", 1)
        self._edit(cluster, cluster.nodes, change)
        return self._ask_reload(cluster, by) if by else None

    def _reload_late(self, cluster, rest):
        first, by, change = re.fullmatch(r"([\d ]+) by (\d+):(.*)", rest).groups()
        early = set(_ids(first))
        self._edit(cluster, early, change)
        said = self._ask_reload(cluster, by)
        self._edit(cluster, set(cluster.nodes) - early, change)
        return said, self._ask_reload(cluster, by)

    def _hold(self, cluster, rest):
        """Once for both."""
        if cluster.config.name == FLAVOURS[0]:
            return
        end = now_ns() + float(rest) * 1e9
        before = self._all_shown()
        while now_ns() < end:
            check_equal(self._all_shown(), before, "what should not change")
            pause_ms(200)

    @staticmethod
    def _device(cluster, rest):
        ids, dash, options = rest.partition("-")
        for i in _ids(ids):
            node = cluster.nodes[i]
            wait_for(f"core of node {i}", lambda node=node: node.watch.update().connected, _SETTLED_S)
            node.device = node.host.start([PACKAGED["corosync-qdevice"], "-f", "-d", *(dash + options).split()])

    @staticmethod
    def _device_leaves(cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].device.wait_asleep()
        return [cluster.nodes[i].device.stop() for i in _ids(rest)]

    @staticmethod
    def _device_killed(cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].kill_device()

    @staticmethod
    def _device_freezes(cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].device.signal(signal.SIGSTOP)

    @staticmethod
    def _device_thaws(cluster, rest):
        for i in _ids(rest):
            cluster.nodes[i].device.signal(signal.SIGCONT)

    # ---- what is said ----

    def _shown(self, flavour, i):
        return _shown(self.clusters[flavour].nodes[i].host.run([_QUORUMTOOL, "-s"]).out)

    def _all_shown(self):
        """{(flavour, node id): quorate, expected votes, total votes, quorum, device}, of all that live."""
        return {(flavour, i): self._shown(flavour, i) for flavour in FLAVOURS for i in sorted(self.living)}

    def _rings_formed(self):
        """All rings are what the network allows."""
        for cluster in self.clusters.values():
            for i in self.living:
                watch = cluster.nodes[i].watch.update()
                group = next(group for group in self.groups if i in group)
                if watch.ring is None or watch.rings[-1][1] != group & self.living:
                    return False
        return True

    def _settle(self, what, wanted):
        check_equal(set(wanted), self.living, f"{what}: nodes that are spoken of")
        wait_for(f"rings after {what}", self._rings_formed, _SETTLED_S)
        shown = {}

        def settled():
            """Asks one after the other until one is not there yet: tools cost more than waiting does."""
            for flavour, i in itertools.product(FLAVOURS, wanted):
                shown[flavour, i] = self._shown(flavour, i)
                if shown[flavour, i][:len(wanted[i])] != wanted[i]:
                    pause_ms(100)
                    return False
            return True
        try:
            wait_for(what, settled, _SETTLED_S)
        except Failure:
            raise Failure(f"{what}: wanted {wanted}, shown are {shown}") from None

    def _asked(self, cluster, i):
        """{question: answer} of one node."""
        text = cluster.nodes[i].host.run(["/bin/sh", "-c", _QUESTIONS.format(other=i % len(cluster.nodes) + 1)]).out
        return dict(answer.split("\n", 1) for answer in _even(text).split("ASKED ")[1:])

    def _told(self, flavour, i):
        """What clients of this node were told since the step before: {kind: [words]}."""
        told = self.clusters[flavour].nodes[i].watch.update().told
        news = told[self.marks[flavour, i]:]
        self.marks[flavour, i] = len(told)
        if i in self.booted:
            last = dict(news)
            self.last[flavour, i] = {kind: _plain(last[kind]) for kind in ("ring", "quorum") if kind in last}
            return self.last[flavour, i]
        if len(self.booted) > 1:
            last = {kind: _plain(values) for kind, values in news}
            self.last[flavour, i].update((kind, words) for kind, words in last.items() if kind != "expected")
            return last
        expected = [_plain(values) for kind, values in news if kind == "expected"]
        return {"expected": (sorted(set(expected)), expected[-1:]), "others": self._without_repetitions(flavour, i, news)}

    def _without_repetitions(self, flavour, i, news):
        """All but expected votes; without rings that are as the one before, and what is then said once more."""
        told = []
        last = self.last[flavour, i]
        for kind, values in news:
            words = _plain(values)
            if kind == "expected" or last.get(kind) == words:
                continue
            if kind != "quorum":
                last.clear()
            last[kind] = words
            told.append((kind, words))
        return told

    def _is_midway(self, flavour, i):
        """The node has told of a ring, and not yet who is quorate there: its device may take its time."""
        kinds = [kind for kind, _ in self.clusters[flavour].nodes[i].watch.update().told]
        return "ring" in kinds and "quorum" not in kinds[len(kinds) - kinds[::-1].index("ring"):]

    def _compare_told(self):
        end = now_ns() + HEARD_MS * 1000000
        while now_ns() < end and any(self._is_midway(flavour, i) for flavour in FLAVOURS for i in self.living):
            pause_ms(50)
        return "".join(_differences(f"told on node {i}", *(self._told(flavour, i) for flavour in FLAVOURS))
                       for i in self.clusters["ours"].nodes)

    def _differences_asked(self):
        for i in sorted(self.living):
            packaged, ours = (self._asked(self.clusters[flavour], i) for flavour in FLAVOURS)
            for question, answer in packaged.items():
                yield _differences(f"node {i}, {question}", answer, ours[question])

    def _compare_asked(self):
        """What a node says of itself has been waited for; the others hear of it when the token comes round."""
        end = now_ns() + HEARD_MS * 1000000
        differences = "".join(self._differences_asked())
        while differences and now_ns() < end:
            pause_ms(100)
            differences = "".join(self._differences_asked())
        return differences

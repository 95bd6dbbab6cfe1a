# SPDX-License-Identifier: BSD-3-Clause
"""What each node believed, and when: reads the quorum-watcher's log and measures.

A node's belief is what votequorum last told its clients: quorate or not, and with which members. Until a membership
change is complete (the device has voted for the new ring) clients still see the old one; that is part of the belief.

Two nodes contradict each other while both are quorate and at least one of them has dropped the other from its members.
That is the state no arbiter may ever bring about: two halves of a cluster both running services.

A belief is frozen from the moment a node has formed another ring until that change is complete. In that time votequorum
repeats the old answer to whoever asks, whatever the votes are. It counts as quorate, since services go on; only where
the other side has a majority of its own, which needs no arbiter, is the frozen time beyond any arbiter's control.

A relapse is a defect of votequorum (docs/observed.md) that no arbiter causes: a node whose device has cast NACK for the
new ring completes the change, says "not quorate", and in the same millisecond says "quorate" again, with unchanged ring
and members. The device's next NACK ends it: when its timer fires, half of quorum.device.timeout later, or at once if the
arbiter repeats itself.
"""

import dataclasses
import itertools

_RELAPSE_WITHIN_NS = 3_000_000


@dataclasses.dataclass(frozen=True)
class Belief:
    """Belief of one node from `since_ns` until the next one."""

    since_ns: int
    quorate: bool
    members: frozenset
    relapse: bool = False


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Nodes `a` and `b` contradicted each other for this long."""

    a: int
    b: int
    start_ns: int
    end_ns: int

    def __str__(self):
        return f"nodes {self.a} and {self.b} both quorate apart for {self.ms:.0f} ms"

    @property
    def ms(self):
        return (self.end_ns - self.start_ns) / 1e6


class Watch:
    """The log of one node's watcher; call `update()` before asking."""

    def __init__(self, node_id, path):
        self.node_id = node_id
        self.path = path
        self.beliefs = [Belief(0, False, frozenset())]
        self.connected = False
        self.ring = None
        self.rings = []
        self.told = []
        """Everything, as (event, {what: value}), times left out."""
        self._read = 0

    def update(self):
        """Take in what was written since the last call."""
        with open(self.path, encoding="ascii", errors="replace") as file:
            file.seek(self._read)
            for line in iter(file.readline, ""):
                if not line.endswith("\n"):
                    break
                self._read += len(line)
                self._line(line.split())
        return self

    def died(self, at_ns):
        """The node's corosync was killed at that time; from then on it believes nothing."""
        self._believe(Belief(at_ns, False, frozenset()))

    def _line(self, words):
        at_ns, event = int(words[0]), words[1]
        values = dict(word.split("=", 1) for word in words[2:])
        self.told.append((event, values))
        if event == "up":
            self.connected = True
        elif event == "down":
            self.connected = False
            self.ring = None
            self._believe(Belief(at_ns, False, frozenset()))
        elif event == "ring":
            self.ring = values["id"]
            self.rings.append((at_ns, _ids(values["nodes"])))
        elif event == "quorum":
            self._believe(Belief(at_ns, values["quorate"] == "1", _ids(values["members"])))

    def _believe(self, belief):
        last = self.beliefs[-1]
        if (last.quorate, last.members) == (belief.quorate, belief.members):
            return
        if (belief.quorate and not last.quorate and last.members == belief.members
                and len(self.beliefs) > 1 and self.beliefs[-2].quorate and self.rings[-1][0] < last.since_ns
                and belief.since_ns - last.since_ns < _RELAPSE_WITHIN_NS):
            belief = dataclasses.replace(belief, relapse=True)
        self.beliefs.append(belief)

    @property
    def quorate(self):
        return self.beliefs[-1].quorate

    @property
    def members(self):
        return self.beliefs[-1].members


def _ids(text):
    return frozenset(int(word) for word in text.split(",") if word)


def _phases(watch, until_ns):
    """The node's life cut where its belief or its ring changes, as (start, end, belief, ring members)."""
    changes = [(belief.since_ns, 1, belief) for belief in watch.beliefs] + [(at, 0, ring) for at, ring in watch.rings]
    belief, ring = watch.beliefs[0], frozenset()
    changes.sort(key=lambda change: change[:2])
    for (at, kind, value), after in itertools.zip_longest(changes, changes[1:]):
        if kind == 1:
            belief = value
        else:
            ring = value
        end = after[0] if after else until_ns
        if end > at:
            yield at, end, belief, ring


def overlaps(watches, until_ns, frozen=True, relapses=True):
    """Every span in which two nodes contradicted each other, as `Overlap`s joined where they touch. Without `frozen`
    only beliefs whose ring is the node's current one count, without `relapses` these do not."""
    def counts(belief, ring):
        return belief.quorate and (frozen or belief.members == ring) and (relapses or not belief.relapse)
    quorate = {watch: [phase for phase in _phases(watch, until_ns) if counts(*phase[2:])] for watch in watches}
    found = []
    for one, other in itertools.combinations(watches, 2):
        spans = []
        for a_start, a_end, a, a_ring in quorate[one]:
            for b_start, b_end, b, b_ring in quorate[other]:
                start, end = max(a_start, b_start), min(a_end, b_end)
                # A node that is just taking the other in again has not dropped it.
                dropped = (other.node_id not in a.members | a_ring) or (one.node_id not in b.members | b_ring)
                if start < end and dropped:
                    spans.append((start, end))
        for start, end in _joined(sorted(spans)):
            found.append(Overlap(one.node_id, other.node_id, start, end))
    return found


def _joined(spans):
    joined = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end])
    return joined


def quorate_ms(watch, start_ns, until_ns):
    """How long, in total and since `start_ns`, the node was quorate; relapses do not count."""
    return sum(end - max(start, start_ns) for start, end, belief, _ in _phases(watch, until_ns)
               if belief.quorate and not belief.relapse and end > start_ns) / 1e6


def relapses_ms(watch, until_ns):
    """How long each relapse of the node lasted."""
    return [(end - start) / 1e6 for start, end, belief, _ in _phases(watch, until_ns) if belief.relapse]

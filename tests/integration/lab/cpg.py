# SPDX-License-Identifier: BSD-3-Clause
"""What process groups promise, checked from what their members have written down (cpg-client.c).

A client's log is cut into views: what it was told between two rings. Of two clients of a group:
  - that went from one ring to the same next ring: they were told the same, in the same order, in between;
  - that parted: what both were told, they were told in the same order;
  - that came into a ring as members: they see the same members of the group there.
And each by itself: no message of a sender twice or out of its order, nothing damaged, and its own messages complete.

What is excused: a message whose begin has been sent in a ring is told to nobody who was not in that ring. Of packaged
senders packaged nodes that come to them may miss what follows it, too (docs/observed.md): in the ring to which they come, the
first messages of all of that node's processes, and none after the first that is told.
"""

import signal

from . import runner
from .wait import Failure, check, check_equal, wait_for

START_S = 10
SETTLE_S = 40
TALK_S = 60


class Client:
    """A cpg-client on a host; survives the core, and reads its own log."""

    def __init__(self, node, path, group, size_max, interval_us, seed):
        self.node_id = node.id
        self.is_packaged = node.core_flavour == "packaged"
        self.group = group
        self.process = node.host.start([path, group, size_max, interval_us, seed], log=f"cpg-{group}-{seed}")
        self.name = self.process.name
        self.is_there = True
        self.hushes = 0
        wait_for(f"{self.name} to be ready", self.lines, START_S)

    def talk(self):
        self.process.signal(signal.SIGUSR1)

    def be_quiet(self):
        """Told so; on a busy machine it goes on for a while. `is_settled` knows."""
        self.hushes += 1
        self.process.signal(signal.SIGUSR2)

    def leave(self):
        """It ends in order."""
        self.is_there = False
        check_equal(self.process.stop(), 0, f"{self.name}: exit status")

    def kill(self):
        """It ends at once; what it said last may be lost."""
        self.is_there = False
        self.process.kill()

    def lines(self):
        """What is written completely."""
        return self.process.text().rpartition("\n")[0].splitlines()

    def lives(self):
        return lives(self.lines(), self.name)

    def is_settled(self):
        """Quiet, a member, and whatever it has sent has come back."""
        last = self.lives()[-1:]
        return self.lines().count("quiet") >= self.hushes and bool(last) and last[0].end is None and last[0].is_member() and not last[0].missing()

    def sent_count(self):
        return sum(line.startswith("sent ") for line in self.lines())


class Groups:
    """The clients of a cluster's nodes."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.clients = []

    def add(self, node_id, group, size_max, interval_us):
        """A client on that node, quiet at first."""
        path = runner.cpg_client_path(self.cluster.lab.scratch.parent)
        client = Client(self.cluster.nodes[node_id], path, group, size_max, interval_us, len(self.clients) + 1)
        self.clients.append(client)
        return client

    def present(self):
        """Those that have not been told to go."""
        return [client for client in self.clients if client.is_there]

    def talk(self, count):
        """All that are there talk, until each has sent so many more; they go on talking."""
        goals = {client: client.sent_count() + count for client in self.present()}
        for client in goals:
            client.talk()

        def reached():
            return all(client.sent_count() >= goal for client, goal in goals.items())
        wait_for(f"{count} messages of each client", reached, TALK_S)

    def settle(self):
        """All are quiet, members, and have been told what they have said."""
        for client in self.present():
            client.be_quiet()
        wait_for("all that was sent to come back", lambda: all(client.is_settled() for client in self.present()), SETTLE_S)

    def check(self):
        """The promises; returns how many messages and changes were compared."""
        compared = check_promises(self.clients)
        for client in self.clients:
            check_complete(client)
            check_farewells(client)
        self.cluster.lab.note(f"{compared} messages and changes compared")
        return compared


class View:
    """What was told in one ring: `items` are messages and changes by processes, `members` of the group at its begin."""

    def __init__(self, ring, members, first):
        self.ring = ring
        self.members = members
        self.first = first          # the change that made the client a member, if it came to be one in this ring
        self.items = []
        self.next_ring = None


class Life:
    """One connection to the core."""

    def __init__(self, address):
        self.address = address
        self.views = []
        self.sent = []
        self.end = None             # "down" or "left"
        self.members = []

    def is_member(self):
        return self.address in self.members

    def missing(self):
        """Own messages that have not come back."""
        return sorted(set(self.sent) - self.own_numbers())

    def own_numbers(self):
        start = f"message {self.address} "
        return {int(item.split()[2]) for view in self.views for item in view.items if item.startswith(start)}


def _of_nodes(fields):
    """A change because nodes came or went: told from each node's own point of view."""
    return any(entry.endswith(("/3", "/4")) for part in (fields[3], fields[5]) for entry in part.split(","))


def lives(lines, name):
    """The log as connections to the core, each with its views."""
    found = []
    life = None
    view = None
    pending = None
    ring = None
    for line in lines:
        fields = line.split()
        word = fields[0]
        if word == "up":
            life = Life(fields[1])
            view = None
            pending = None          # the change by which it has become a member, until the ring is told
            ring = None
            found.append(life)
        elif word in ("down", "left"):
            if life is not None and life.end is None:
                life.end = word
        elif word == "sent":
            life.sent.append(int(fields[1]))
        elif word == "ring":
            if fields[1] == ring:
                continue            # told once more to who has joined
            ring = fields[1]        # told to all connections, members or not
            if view is not None:
                view.next_ring = ring
            if life.is_member():
                view = View(ring, life.members, pending)
                life.views.append(view)
                pending = None
        elif word == "change":
            life.members = [] if fields[1] == "-" else fields[1].split(",")
            if view is None and ring is None:
                pending = line
            elif view is None:
                view = View(ring, life.members, line)
                life.views.append(view)
            elif not _of_nodes(fields):
                view.items.append(line)
        elif word == "message":
            if fields[-1] == "damaged":
                raise Failure(f"{name}: {line}")
            if view is None:
                raise Failure(f"{name}: a message before the first ring: {line}")
            view.items.append(line)
        elif word == "error":
            raise Failure(f"{name}: {line}")
    return found


def _since(items, first, name):
    """What follows a change of processes, which must be there."""
    if first not in items:
        raise Failure(f"{name} was not told: {first}")
    return items[items.index(first) + 1:]


def _without_torn(items, others, unheard):
    """Without messages of which the other member has not seen the begin, since it came to the ring or the group within them.
    Of each sender that can be the first one only: what is cut by libcpg, or by a ring that changes between two frames. Of the nodes
    `unheard` it can be several, up to the first that it was told."""
    known = set(others)
    begun = set()
    told = set()
    kept = []
    for item in items:
        fields = item.split()
        if fields[0] == "message":
            sender = fields[1]
            may_miss = sender not in begun or sender not in told and int(sender.split(":")[0]) in unheard
            begun.add(sender)
            if item in known:
                told.add(sender)
            elif may_miss:
                continue
        kept.append(item)
    return kept


def _first_difference(one, two):
    for index, (a, b) in enumerate(zip(one, two)):
        if a != b:
            return index, a, b
    index = min(len(one), len(two))
    return index, (one + ["nothing"])[index], (two + ["nothing"])[index]


class Origins:
    """Which ring each node was in before a ring, as far as clients were told."""

    def __init__(self, clients):
        self.packaged = {client.node_id for client in clients if client.is_packaged}
        self.former = {}
        for client in clients:
            for life in client.lives():
                for before, view in zip(life.views, life.views[1:]):
                    if before.next_ring == view.ring:
                        self.former[client.node_id, view.ring] = before.ring

    def unheard(self, node_id, ring):
        """Packaged nodes that were not with this packaged one before that ring: it may miss the begin of what they say."""
        if node_id not in self.packaged:
            return set()
        own = self.former.get((node_id, ring))
        return {other for other in self.packaged - {node_id} if own is None or self.former.get((other, ring)) != own}


def _compare_views(one, two, names, unheard):
    a, b = one.items, two.items
    if one.first != two.first:
        # Who has joined later tells where the common part begins.
        if one.first is not None and (two.first is None or one.first in b):
            b = _since(b, one.first, names[1])
        elif two.first is not None:
            a = _since(a, two.first, names[0])
    else:
        check_equal(one.members, two.members, f"members of the group in ring {one.ring} of {names[0]} and {names[1]}")
    if one.next_ring is not None and one.next_ring == two.next_ring:
        a, b = _without_torn(a, b, unheard[1]), _without_torn(b, a, unheard[0])
        if a != b:
            index, x, y = _first_difference(a, b)
            raise Failure(f"ring {one.ring}: message {index} of {names[0]}: {x}; of {names[1]}: {y}")
    else:
        common = set(a) & set(b)
        a = [item for item in a if item in common]
        b = [item for item in b if item in common]
        if a != b:
            index, x, y = _first_difference(a, b)
            raise Failure(f"ring {one.ring}, parted: message {index} of {names[0]}: {x}; of {names[1]}: {y}")
    return len(a)


def _check_senders(client):
    for life in client.lives():
        last = {}
        for view in life.views:
            for item in view.items:
                fields = item.split()
                if fields[0] != "message":
                    continue
                check(last.get(fields[1], -1) < int(fields[2]), f"{client.name}: out of order or twice: {item}")
                last[fields[1]] = int(fields[2])


def check_promises(clients):
    """All of the above; returns how many messages and changes were compared."""
    compared = 0
    for client in clients:
        _check_senders(client)
    views = [(client, view) for client in clients for life in client.lives() for view in life.views]
    by_ring = {}
    for client, view in views:
        by_ring.setdefault((client.group, view.ring), []).append((client, view))
    origins = Origins(clients)
    for (_, ring), same in by_ring.items():
        first_client, first = same[0]
        for client, view in same[1:]:
            unheard = [origins.unheard(one.node_id, ring) for one in (first_client, client)]
            compared += _compare_views(first, view, (first_client.name, client.name), unheard)
    return compared


def check_complete(client):
    """Whatever the core has taken from a client that was not killed, and lost no core, has come back to it."""
    for life in client.lives():
        if life.end == "left" or (life.end is None and client.is_there):
            check(not life.missing(), f"{client.name}: sent and never told: {life.missing()[:5]}")


def check_farewells(client):
    """Who has left in order was told so itself, as the last thing."""
    for life in client.lives():
        if life.end == "left":
            last = [item for item in life.views[-1].items if item.startswith("change ")][-1]
            check(f" left {life.address}/2 " in last and not life.is_member(), f"{client.name}: left, and was told: {last}")

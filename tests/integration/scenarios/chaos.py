# SPDX-License-Identifier: BSD-3-Clause
"""Whatever may happen, in an order drawn from a seed: cuts, kills, restarts, pauses, some at the same time.

At every instant no two nodes may be quorate apart; once everything is repaired, all must be quorate together. What is
drawn depends on the seed alone, what comes of it also on the timing of real processes: a failure is replayed by its seed
but may need several runs. More seeds: QUORATE_CHAOS_SEEDS="1 2 3" run.py --only chaos.
"""

import os
import random

from lab.wait import pause_ms

from . import register

_STEPS = 14
_PAUSES_MS = (0, 50, 200, 600, 1200, 2500)
_SHAPES = (("ffsplit", 2), ("lms", 2), ("ffsplit", 4), ("lms", 4))
_SEEDS = [int(seed) for seed in os.environ.get("QUORATE_CHAOS_SEEDS", "1").split()]


class _Chaos:
    """Draws what happens next, and does it."""

    def __init__(self, lab, cluster, seed):
        self.lab = lab
        self.cluster = cluster
        self.random = random.Random(seed)
        self.arbiter = lab.the_arbiter

    def step(self):
        """One thing."""
        draws = ((self.cut, 5), (self.heal, 2), (self.cut_arbiter, 5), (self.restart_arbiter, 2),
                 (self.freeze_arbiter, 1), (self.restart_device, 4), (self.restart_node, 1))
        self.random.choices([what for what, _ in draws], [weight for _, weight in draws])[0]()
        pause_ms(self.random.choice(_PAUSES_MS))

    def node(self):
        return self.random.choice(list(self.cluster.nodes))

    def cut(self):
        ids = list(self.cluster.nodes)
        self.random.shuffle(ids)
        at = self.random.randrange(1, len(ids))
        self.cluster.cut(sorted(ids[:at]), sorted(ids[at:]))

    def heal(self):
        self.cluster.heal()

    def cut_arbiter(self):
        node = self.node()
        self.cluster.cut_arbiter(node)
        pause_ms(self.random.choice(_PAUSES_MS))
        if self.random.random() < 0.7:
            self.cluster.heal_arbiter(node)

    def restart_arbiter(self):
        if self.random.random() < 0.5:
            self.arbiter.kill()
        else:
            self.arbiter.stop()
        pause_ms(self.random.choice(_PAUSES_MS))
        self.arbiter.start()

    def freeze_arbiter(self):
        self.arbiter.freeze()
        pause_ms(self.random.choice(_PAUSES_MS))
        self.arbiter.thaw()

    def restart_device(self):
        node = self.cluster.nodes[self.node()]
        node.kill_device()
        pause_ms(self.random.choice(_PAUSES_MS))
        node.start_device()

    def restart_node(self):
        node = self.cluster.nodes[self.node()]
        node.kill()
        pause_ms(self.random.choice(_PAUSES_MS))
        node.start()


def _chaos(seed, algorithm, nodes):
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(nodes=nodes, algorithm=algorithm)
        # With majorities, lost arbiters and dying devices all mixed no bound holds for what is frozen.
        lab.frozen_allowed_ms = 60000
        chaos = _Chaos(lab, cluster, seed)
        for _ in range(_STEPS):
            chaos.step()
        cluster.heal()
        for node in cluster.nodes.values():
            if not node.device.running:
                node.start_device()
        cluster.wait_all()
    return run


for _seed in _SEEDS:
    for _algorithm, _nodes in _SHAPES:
        register(f"chaos_{_algorithm}_{_nodes}_{_seed}",
                 f"{_nodes} nodes, {_algorithm}: {_STEPS} random cuts, kills, restarts and pauses drawn from seed {_seed}; "
                 "then all is repaired.",
                 _chaos(_seed, _algorithm, _nodes), ours_only=True)

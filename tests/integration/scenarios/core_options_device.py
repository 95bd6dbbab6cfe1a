# SPDX-License-Identifier: BSD-3-Clause
"""votequorum and its quorum device side by side: as core_options.py, with Debian's corosync-qdevice on the nodes of both clusters and
one arbiter for both. (A device that is set to make masters win says so on its own line: MW.)"""

from lab.twins import Twins

from . import register

_PATIENT = {"timeout_ms": 4000, "sync_timeout_ms": 6000}


def _case(name, doc, steps, **config):
    def run(lab):
        lab.device_flavour = "packaged"
        lab.arbiter("ours", ["-s", "off"]).know_all()
        Twins(lab, tls="off", **config).play(steps)
    register(f"core_options_device_{name}", f"Side by side with the packaged core, Debian's device: {doc}", run)


_case("ffsplit", "a cut, a device that stops to poll, one that leaves in order and comes back, a node that crashes.", (
    ("boot 1", "1: no 2 1 2"),
    ("boot 2", "1,2: yes 3 2 2"),
    ("device 1 2", "1,2: yes 3 3 2 A,V,NMW"),
    ("cut 1 | 2", "1: yes 3 2 2 A,V,NMW; 2: no 3 1 2 A,NV,NMW"),
    ("heal", "1,2: yes 3 3 2 A,V,NMW"),
    ("device-freezes 1", "1: yes 3 2 2 NA,NV,NMW; 2: yes 3 3 2 A,V,NMW"),
    ("device-thaws 1", "1,2: yes 3 3 2 A,V,NMW"),
    ("device-leaves 1", "1: yes 3 2 2 NR; 2: yes 3 3 2 A,V,NMW"),
    ("device 1", "1,2: yes 3 3 2 A,V,NMW"),
    ("kill 2", "1: yes 3 2 2 A,V,NMW"),
    ("boot 2", "1: yes 3 3 2 A,V,NMW; 2: yes 3 2 2 NR"),
), nodes=2, **_PATIENT)

_case("silent", "a device that is silent while a ring forms is waited for, until sync_timeout.", (
    ("boot 1 2", "1,2: yes 3 2 2"),
    ("device 1 2", "1,2: yes 3 3 2 A,V,NMW"),
    ("device-freezes 2", "1,2: yes 3 3 2 A,V,NMW"),
    ("cut 1 | 2", "1: yes 3 2 2 A,V,NMW; 2: no 3 1 2 NA,NV,NMW"),
    ("heal", "1: yes 3 3 2 A,V,NMW; 2: yes 3 2 2 NA,NV,NMW"),
), nodes=2, timeout_ms=5000, sync_timeout_ms=4000)

_case("lms", "a vote that counts as much as all other nodes: a part against one, the last one.", (
    ("boot 1 2 3", "1,2,3: yes 5 3 3"),
    ("device 1 2 3", "1,2,3: yes 5 5 3 A,V,NMW"),
    ("cut 1 | 2 3", "1: no 5 1 3 A,NV,NMW; 2,3: yes 5 4 3 A,V,NMW"),
    ("heal", "1,2,3: yes 5 5 3 A,V,NMW"),
    ("kill 1 2", "3: yes 5 3 3 A,V,NMW"),
), nodes=3, algorithm="lms", **_PATIENT)

_case("own_votes", "votes of the device that are not written down are those of all nodes but one, and expected from the start.", (
    ("reload : votes: 2 -> # votes", ""),
    ("boot 1", "1: no 5 1 3"),
    ("boot 2", "1,2: no 5 2 3"),
    ("boot 3", "1,2,3: yes 5 3 3"),
    ("device 1 2", "1,2: yes 5 5 3 A,V,NMW; 3: yes 5 3 3 NR"),
    ("kill 3", "1,2: yes 5 4 3 A,V,NMW"),
    ("device-leaves 2", "1: yes 5 4 3 A,V,NMW; 2: no 5 2 3 NR"),
), nodes=3, algorithm="lms", **_PATIENT)

_case("node_votes", "nodes with more than one vote and a device.", (
    ("boot 1 2 3", "1,2,3: yes 6 4 4"),
    ("device 1 2 3", "1,2,3: yes 6 6 4 A,V,NMW"),
    ("kill 1", "2,3: yes 6 4 4 A,V,NMW"),
), nodes=3, algorithm="lms", votes={1: 2}, **_PATIENT)

_case("wait_for_all", "wait_for_all: the device's vote is one of all; the last one goes on with it; it waits for all once quorum was lost.", (
    ("boot 1", "1: no 2 1 2"),
    ("boot 2", "1,2: no 3 2 2"),
    ("device 1 2", "1,2: yes 3 3 2 A,V,NMW"),
    ("device-leaves 1", "1: yes 3 2 2 NR; 2: yes 3 3 2 A,V,NMW"),
    ("leave 1", "2: yes 3 2 2 A,V,NMW"),
    ("boot 1", "1: yes 3 2 2 NR; 2: yes 3 3 2 A,V,NMW"),
    ("device-leaves 2", "1,2: yes 3 2 2"),
    ("leave 1", "2: no 3 1 2"),
    ("device 2", "2: no 3 2 2 A,V,NMW"),
), nodes=2, wait_for_all=True, **_PATIENT)

_case("master_wins", "master wins: a node without the device's vote goes on beside one that has it, until that is lost.", (
    ("boot 1 2 3", "1,2,3: yes 5 3 3"),
    ("device 1 2 -S master_wins=on", "1,2: yes 5 5 3 A,V,MW; 3: yes 5 3 3 NR"),
    ("device-freezes 2", "1: yes 5 5 3 A,V,MW; 2: yes 5 3 3 NA,NV,MW; 3: yes 5 3 3 NR"),
    ("kill 3", "1: yes 5 4 3 A,V,MW; 2: yes 5 2 3 NA,NV,MW"),
    ("device-leaves 1", "1: no 5 2 3 NR; 2: no 5 2 3 NA,NV,MW"),
), nodes=3, algorithm="lms", **_PATIENT)

_case("two_node_appears", "two_node comes by reload where a device is configured, and where it is registered.", (
    ("boot 1 2", "1,2: yes 3 2 2"),
    ("reload 1: provider: -> two_node: 1\n    provider:", "1,2: yes 3 2 1"),
    ("reload 1: two_node: 1 -> two_node: 0", "1,2: yes 3 2 2"),
    ("device 1 2", "1,2: yes 3 3 2 A,V,NMW"),
    ("reload 1: two_node: 0 -> two_node: 1", "1,2: yes 3 3 2 A,V,NMW"),
    ("reload 1: two_node: 1 -> two_node: 0", "1,2: yes 3 3 2 A,V,NMW"),
), nodes=2, **_PATIENT)

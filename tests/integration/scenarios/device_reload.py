# SPDX-License-Identifier: BSD-3-Clause
"""Our device and `corosync-cfgtool -R`, while one node lives on the arbiter's vote: what may change at run time does so
without costing the vote, what is not valid is refused and the former configuration stays."""

from lab.our_device import check_no_overlap, our_cluster, reload, split, status, wait_cast
from lab.wait import check, check_equal, now_ns, pause_ms, wait_for

from . import register, scenario

_PATIENT = {"timeout_ms": 5000}
_PASS = "/usr/bin/test -e /etc/corosync/corosync.conf"


def _session(lab, cluster, node_id):
    """What identifies the node's connection at the arbiter."""
    return lab.the_arbiter.client_addresses(cluster.config.name).get(node_id)


@scenario(ours_only=True)
def device_reload_unchanged(lab):
    """Reloads that change nothing, ten in a row, and ten that only raise config_version: same connection, same vote, and
    the arbiter knows the newest version."""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    session = _session(lab, cluster, 1)
    for _ in range(10):
        reload(cluster)
    for version in range(1, 11):
        cluster.config.totem["config_version"] = version
        reload(cluster)
    wait_for("the newest version at the arbiter",
             lambda: "10" in lab.the_arbiter.listing(cluster.config.name, "-v")[1].get("Configuration version", ""), 10)
    cluster.hold("twenty reloads", [1], 1)
    cluster.check_quorate_since([1], start)
    check_equal(_session(lab, cluster, 1), session, "the connection of node 1")
    check("not taken" not in cluster.nodes[1].device.text(), "nothing was refused")


@scenario(ours_only=True)
def device_reload_tie_breaker(lab):
    """The tie-breaker changes while the nodes are split: devices introduce themselves anew, the holder keeps its vote
    (keep-active-partition); healed and cut again, the new one decides."""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    cluster.config.tie_breaker = "highest"
    reload(cluster)
    wait_for("the new tie-breaker at the arbiter", lambda: "highest" in lab.the_arbiter.tool("-l", "-v").out, 20)
    cluster.wait_votes({1: "ACK", 2: "NACK"})
    cluster.hold("the tie-breaker was changed", [1], 1)
    cluster.check_quorate_since([1], start)
    cluster.heal()
    cluster.wait_all()
    split(cluster, 2, 1)
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_tie_breaker_one_side(lab):
    """The tie-breaker changes on the holder only, as when an administrator has forgotten a node: the holder keeps its vote
    at least until its lease ends, both never have it, and the same change on the other node settles it."""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    cluster.config.tie_breaker = "highest"
    reload(cluster, 1)
    pause_ms(2000)
    cluster.check_quorate_since([1], start)
    check_no_overlap(lab)
    reload(cluster, 2)
    cluster.wait_one_quorate()
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_heuristics(lab):
    """Heuristics are switched on, changed and switched off again by reloads: the same connection, no vote lost, and the
    arbiter learns every result, "undefined" too. (Undefined ranks below pass: where they are on first, and off last,
    the vote stays.)"""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    session = _session(lab, cluster, 1)

    def shown(result):
        return lambda: lab.the_arbiter.listing("alpha").get(1, {}).get("Heuristics", "Undefined").startswith(result)
    cluster.config.heuristics = {"mode": "on", "interval": 1000, "timeout": 1000, "sync_timeout": 1000, "exec_a": _PASS}
    reload(cluster)
    wait_for("Pass at the arbiter", shown("Pass"), 10)
    cluster.config.heuristics = {**cluster.config.heuristics, "exec_b": _PASS, "interval": 2000}
    reload(cluster)
    wait_for("the changed interval in force", lambda: status(cluster.nodes[1])["heuristics"]["mode"] == "on", 10)
    cluster.hold("heuristics were changed", [1], 2.5)
    cluster.config.heuristics = {}
    reload(cluster, 2, 1)
    wait_for("Undefined at the arbiter", shown("Undefined"), 10)
    check_equal(status(cluster.nodes[1])["heuristics"]["mode"], "off", "mode")
    cluster.check_quorate_since([1], start)
    check_equal(_session(lab, cluster, 1), session, "the connection of node 1")
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_invalid(lab):
    """Values out of range or unknown words in a reload are refused with a sentence; the device lives on with the former
    configuration and its vote. (The packaged device ends, on every node at once.)"""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    node, good = cluster.nodes[1], cluster.config
    invalid = ({"heuristics": {"mode": "on", "interval": 5, "exec_a": _PASS}},
               {"heuristics": {"mode": "sometimes", "exec_a": _PASS}},
               {"tie_breaker": "tallest"}, {"algorithm": "majority"}, {"net": {"port": 70000}})
    for count, change in enumerate(invalid, 1):
        former = {name: getattr(good, name) for name in change}
        for name, value in change.items():
            setattr(good, name, value)
        reload(cluster)
        wait_for(f"a refusal of {change}", lambda: node.device.text().count("not taken") >= count, 10)  # pylint: disable=cell-var-from-loop
        for name, value in former.items():
            setattr(good, name, value)
        check(node.device.running, f"the device lives after {change}")
    reload(cluster)
    cluster.hold("invalid configurations were refused", [1], 1)
    cluster.check_quorate_since([1], start)
    check_equal(status(node)["algorithm"], "ffsplit", "the algorithm in force")
    wait_cast(node, "yes")
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_timeout(lab):
    """quorum.device.timeout is made smaller and larger by reloads: polls, echoes and lease follow, the vote is kept."""
    _, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    for timeout_ms in (3000, 10000):
        cluster.config.timeout_ms = timeout_ms
        reload(cluster)
        wait_for("the new timing", lambda: status(cluster.nodes[1])["timing"]["device_timeout_ms"] == timeout_ms, 10)  # pylint: disable=cell-var-from-loop
        cluster.wait_votes({1: "ACK", 2: "NACK"})
        timing = status(cluster.nodes[1])["timing"]
        check_equal(timing["lease_ms"], timeout_ms, "lease")
        check_equal(timing["poll_ms"], timeout_ms // 2, "interval of polls")
        cluster.hold(f"the timeout is {timeout_ms} ms", [1], 2)
    cluster.check_quorate_since([1], start)
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_timeout_appears(lab):
    """quorum.device.timeout, not set before (10 s), becomes 2500: the heartbeat interval is the same, so that nothing is said
    anew, but votequorum now drops a vote that is not repeated for 2.5 s. The voter repeats it in time, from the first."""
    _, cluster = our_cluster(lab, timeout_ms=0)
    start = split(cluster, 1, 2)
    session = _session(lab, cluster, 1)
    cluster.config.timeout_ms, cluster.config.sync_timeout_ms = 2500, 30000
    reload(cluster)
    wait_for("the new timing", lambda: status(cluster.nodes[1])["timing"]["poll_ms"] == 1250, 10)
    cluster.hold("the timeout is 2500 ms", [1], 8)
    cluster.check_quorate_since([1], start)
    check_equal(_session(lab, cluster, 1), session, "the connection of node 1")
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_reload_host(lab):
    """The host changes from an address to a name while the nodes are split: another host may be another arbiter, so the
    vote is withdrawn before the device introduces itself there; then one node has it again."""
    _, cluster = our_cluster(lab, **_PATIENT)
    split(cluster, 1, 2)
    cluster.config.host = "arbiter4"
    reload(cluster)
    wait_for("the new host in use", lambda: status(cluster.nodes[1])["arbiter"]["host"] == "arbiter4"
             and status(cluster.nodes[1])["arbiter"]["state"] == "connected", 10)
    cluster.wait_one_quorate()
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


def _under_load(arbiter, groups, changes):
    """Reload five times a second, with these changes of the configuration in turn, while the LAN is cut and healed."""
    def run(lab):
        _, cluster = our_cluster(lab, arbiter, nodes=sum(map(len, groups)), **_PATIENT)
        favourites, others = groups
        start, reloads = now_ns(), []

        def reload_without_waiting():
            reloads.extend(one.host.start(["/usr/sbin/corosync-cfgtool", "-R"]) for one in cluster.nodes.values())
        for change in changes:
            change(cluster.config)
            for one in cluster.nodes.values():
                cluster.write_config(one)
            reload_without_waiting()
            cluster.cut(*groups)
            while set(others) & set(cluster.quorate()):
                reload_without_waiting()
                pause_ms(200)
            cluster.wait_quorate(favourites, not_quorate=others)
            cluster.heal()
            reload_without_waiting()
            cluster.wait_all()
        for one in reloads:
            one.wait(20)
        reload(cluster)
        cluster.check_quorate_since(favourites, start)
        for node in cluster.nodes.values():
            check("not taken" not in node.device.text(), "nothing was refused")
        check_no_overlap(lab)
        return cluster
    return run


def _timeout(timeout_ms):
    return lambda config: setattr(config, "timeout_ms", timeout_ms)


def _version(version):
    return lambda config: config.totem.update(config_version=version)


def _last_timing(lab):
    cluster = _under_load("ours", ([1], [2]), [_timeout(5000), _timeout(6000)])(lab)
    wait_for("the last timing", lambda: status(cluster.nodes[1])["timing"]["device_timeout_ms"] == 6000, 10)


register("device_reload_under_load",
         "Reloads while the LAN is cut and healed: rings form, synchronise and ask for votes meanwhile. The favourite never loses "
         "quorum, nobody is refused, and the device is never in the way of a ring.", _last_timing, ours_only=True)
# A new timeout means a new introduction, which costs the vote with a packaged arbiter.
register("device_reload_under_load_four",
         "The same with four nodes, two and two, the packaged arbiter, and reloads that raise config_version.",
         _under_load("packaged", ([1, 2], [3, 4]), [_version(1), _version(2)]), ours_only=True)

# SPDX-License-Identifier: BSD-3-Clause
"""A laboratory for real clusters on one machine.

Hosts are namespaces joined by bridges that can be cut (host.py, net.py); on them run the packaged corosync and device
and an arbiter, ours or the packaged one (cluster.py), configured by conf.py with certificates from certs.py. watch.py
says what each node believed at every instant, timeline.py tells the story, wait.py waits for conditions.

A test calls `isolate.enter()` first; from there on everything it starts lives in namespaces that vanish with it.
"""

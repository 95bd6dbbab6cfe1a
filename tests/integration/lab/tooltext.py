# SPDX-License-Identifier: BSD-3-Clause
"""Reads the tools' text the way scripts written for the packaged tools do."""

import re

_CLUSTER_LINE = re.compile(r'^Cluster "([^"]+)":$')
_NODE_LINE = re.compile(r"^    Node ID (\d+):$")
_FIELD_LINE = re.compile(r"^ *([A-Z][A-Za-z /-]*):\t+(.*)$")


def fields(text):
    """`Name:<tabs>value` lines as a dict."""
    return {match[1]: match[2] for match in map(_FIELD_LINE.match, text.splitlines()) if match}


def clusters(text):
    """`corosync-qnetd-tool -l` as {cluster: {"fields": {...}, "nodes": {id: {...}}}}, parsed like pcs does."""
    found = {}
    cluster = node = None
    for line in text.splitlines():
        if match := _CLUSTER_LINE.match(line):
            cluster = found.setdefault(match[1], {"fields": {}, "nodes": {}})
            node = None
        elif match := _NODE_LINE.match(line):
            node = cluster["nodes"].setdefault(int(match[1]), {})
        elif match := _FIELD_LINE.match(line):
            (cluster["fields"] if node is None else node)[match[1]] = match[2]
        else:
            raise ValueError(f"line of no known shape: {line!r}")
    return found


def shape(text):
    """Text with everything that may differ between two calls masked: addresses' ports, ring ids, times."""
    text = re.sub(r"(Client address:\t+\S+):\d+", r"\1:PORT", text)
    text = re.sub(r"(Ring ID:\t+)\S+", r"\1RING", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", text)
    return re.sub(r"(Vote:\t+)(No change \()?(N?ACK)( \(N?ACK)?\)?", r"\1\3", text)

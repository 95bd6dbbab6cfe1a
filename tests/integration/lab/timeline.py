# SPDX-License-Identifier: BSD-3-Clause
"""One line per thing that happened, with what each node believed in columns beside it."""


class Timeline:
    """Collects (time, text); `text()` merges in the beliefs of the clusters' nodes."""

    def __init__(self):
        self.entries = []

    def add(self, at_ns, text):
        self.entries.append((at_ns, text))

    def text(self, clusters):
        """The story; times in seconds since the first entry."""
        if not self.entries:
            return ""
        start = self.entries[0][0]
        events = [(at, "  ", text) for at, text in self.entries]
        for cluster in clusters:
            for watch in cluster.watches():
                for belief in watch.beliefs[1:]:
                    word = "QUORATE" if belief.quorate else "not quorate"
                    members = ",".join(map(str, sorted(belief.members)))
                    events.append((belief.since_ns, "      ", f"node {watch.node_id} {word} {{{members}}}"))
                for at, members in watch.rings:
                    events.append((at, "      ", f"node {watch.node_id} ring {{{','.join(map(str, sorted(members)))}}}"))
        return "\n".join(f"{(at - start) / 1e9:8.3f}{indent}{text}" for at, indent, text in sorted(events)) + "\n"

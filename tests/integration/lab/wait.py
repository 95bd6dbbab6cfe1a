# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for a condition, never for a time, and the checks scenarios are made of."""

import time

POLL_S = 0.02

_hooks = []


class Failure(AssertionError):
    """What a scenario found wrong; its text is shown to the reader."""


def now_ns():
    """The clock of every time stamp in the lab (CLOCK_MONOTONIC)."""
    return time.monotonic_ns()


def call_while_waiting(hook):
    """Have `hook` called at every poll; the demo tells its story from there."""
    _hooks.append(hook)


def poll_pause():
    """One polling interval."""
    for hook in _hooks:
        hook()
    time.sleep(POLL_S)


def pause_ms(duration_ms):
    """Let time pass where time itself is the subject, never to wait for something."""
    end = time.monotonic() + duration_ms / 1000
    while time.monotonic() < end:
        time.sleep(min(POLL_S, max(0.0, end - time.monotonic())))


def wait_for(what, condition, deadline_s):
    """Poll `condition` until it is true and return its value; `Failure` naming `what` after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {deadline_s:g} s: {what}")
        poll_pause()


def check(truth, what):
    """`Failure` unless `truth`."""
    if not truth:
        raise Failure(what)


def check_equal(got, wanted, what):
    """`Failure` showing both values unless they are equal."""
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")

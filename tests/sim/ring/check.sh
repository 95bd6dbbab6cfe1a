#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What make check runs of the ring's simulator.
exec "$Q_BUILD/tests/sim/ringsim" --tap

# SPDX-License-Identifier: BSD-3-Clause
# Service files: units, sysusers.d, example defaults files.

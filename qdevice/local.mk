# SPDX-License-Identifier: BSD-3-Clause
# The device. qdevice/logic is pure and goes into libqdevice_logic.a (tests/lint checks it).

noinst_LIBRARIES += libqdevice_logic.a

libqdevice_logic_a_SOURCES = \
	qdevice/logic/act.c \
	qdevice/logic/agent.c \
	qdevice/logic/agent.h \
	qdevice/logic/agent_machine.h \
	qdevice/logic/conversation.c \
	qdevice/logic/link.c \
	qdevice/logic/timing.c \
	qdevice/logic/timing.h \
	qdevice/logic/vote.c

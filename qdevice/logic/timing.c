/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/timing.h"

/* An arbiter on another continent still answers within this. */
#define ATTEMPT_MS 600
#define CONNECT_TIMEOUT_MIN_MS 8000
#define PAUSE_MS_MIN 100
#define PAUSE_MS_MAX 1000

static uint32_t clamp(uint64_t value, uint32_t minimum, uint32_t maximum)
{
    if (value < minimum)
        return minimum;
    return value > maximum ? maximum : (uint32_t)value;
}

void timing_derive(const struct timing_input *input, struct timing *timing)
{
    uint64_t heartbeat = TIMING_HEARTBEAT_DEFAULT_MS;

    timing->device_timeout_ms = TIMING_DEVICE_TIMEOUT_DEFAULT_MS;
    if (input->has_device_timeout) {
        timing->device_timeout_ms = input->device_timeout_ms;
        heartbeat = (uint64_t)input->device_timeout_ms * 4 / 5;
    }
    timing->sync_timeout_ms = input->sync_timeout_ms;
    timing->heartbeat_ms = clamp(heartbeat, input->heartbeat_ms_min, input->heartbeat_ms_max);
    timing->echo_ms = clamp(timing->heartbeat_ms / 4, 1, UINT32_MAX);
    timing->lease_ms = (uint32_t)((uint64_t)timing->heartbeat_ms * 5 / 4);
    timing->hold_ms = TIMING_HOLD_MS;
    timing->poll_ms = timing->device_timeout_ms / 2 > 0 ? timing->device_timeout_ms / 2 : 1;
    timing->connect_timeout_ms = input->connect_timeout_ms;
    if (timing->connect_timeout_ms == 0)
        timing->connect_timeout_ms = clamp(timing->heartbeat_ms, CONNECT_TIMEOUT_MIN_MS, UINT32_MAX);
    timing->attempt_ms = clamp(ATTEMPT_MS, 1, timing->connect_timeout_ms);
    timing->pause_ms_min = PAUSE_MS_MIN;
    timing->pause_ms_max = PAUSE_MS_MAX;
    timing->patience_ms = (uint32_t)((uint64_t)timing->sync_timeout_ms * 9 / 10);
}

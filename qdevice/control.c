/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/control.h"

#include "qdevice/device.h"
#include "qdevice/status.h"

static void on_status(void *context, const struct control_request *request, struct control_reply *reply)
{
    const struct device *device = context;

    if (!device->configured)
        reply->error = "The core is not running, nothing is known yet";
    else if (control_request_is(request, 1, "json"))
        status_json(device, &reply->body);
    else
        status_text(device, control_request_is(request, 1, "verbose"), &reply->body);
}

static void on_stop(void *context)
{
    device_shut_down(context);
}

enum q_err control_open(struct device *device, struct control_server **out, char *err_text, size_t size)
{
    static const struct control_command commands[] = {
        {"status", on_status, "Can't get QDevice status"},
        {"shutdown", control_on_shutdown, "Can't shut down"},
    };
    struct control_server_config config = {
        .loop = device->loop,
        .quoting = false,
        .commands = commands,
        .command_count = sizeof(commands) / sizeof(commands[0]),
        .context = device,
        .on_stop = on_stop,
    };

    daemon_options_control(&device->settings->daemon, &config);
    return control_server_new(&config, out, err_text, size);
}

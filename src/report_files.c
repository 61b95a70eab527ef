#include "report_files.h"

#include "base/file.h"
#include "base/log.h"
#include "control/report.h"

int report_files_check(const struct config *config, struct err *err)
{
    struct err reason;
    for (size_t i = 0; i < config->report_file_count; i++) {
        const char *path = config->report_files[i].path;
        int status = file_check(path, &reason);
        if (status < 0)
            return err_set(err, status, "--report \"%s\": %s", path, reason.text);
    }
    return 0;
}

static int write_one(const struct config_report_file *file, struct control *control,
                     struct err *err)
{
    struct buf text = BUF_INIT;
    int status = report_view_write(control, &(struct report_subject){.run = NULL},
                                   (enum report_format)file->format, &text);
    if (status < 0)
        err_set(err, status, "%s", err_reason(status));
    else
        status = file_write(file->path, &text, err);
    buf_finish(&text);
    return status;
}

bool report_files_write(const struct config *config, struct control *control)
{
    bool written = true;
    for (size_t i = 0; i < config->report_file_count; i++) {
        const struct config_report_file *file = &config->report_files[i];
        struct err err;
        bool good = write_one(file, control, &err) == 0;
        written &= good;
        if (good)
            log_event(LOG_INFO, "report written", LOG_STR("file", file->path));
        else
            log_event(LOG_ERROR, "the report was not written", LOG_STR("file", file->path),
                      LOG_STR("reason", err.text));
    }
    return written;
}

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

static int write_one(const struct config_report_file *file, const struct report *report,
                     struct err *err)
{
    struct buf text = BUF_INIT;
    report_write(report, (enum report_format)file->format, NULL, &text);
    int status = buf_failed(&text) ? err_set(err, ERR_NO_MEMORY, "out of memory")
                                   : file_write(file->path, &text, err);
    buf_finish(&text);
    return status;
}

static void tell(const struct config_report_file *file, int status, const struct err *err)
{
    if (status == 0)
        log_event(LOG_INFO, "report written", LOG_STR("file", file->path));
    else
        log_event(LOG_ERROR, "the report was not written", LOG_STR("file", file->path),
                  LOG_STR("reason", err->text));
}

bool report_files_write(const struct config *config, struct control *control)
{
    struct report *report = NULL;
    struct err err;
    bool written = true;
    if (!config->report_file_count)
        return true;
    int made = report_view_read(control, &(struct report_subject){.run = NULL}, &report);
    err_set(&err, made, "%s", err_reason(made));
    for (size_t i = 0; i < config->report_file_count; i++) {
        const struct config_report_file *file = &config->report_files[i];
        int status = made < 0 ? made : write_one(file, report, &err);
        tell(file, status, &err);
        written &= status == 0;
    }
    report_destroy(report);
    return written;
}

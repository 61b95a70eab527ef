/*
 * What clients under test made this server do, as a report (report/report.h): for GET /_mock/report
 * and for the files of --report. Any thread.
 */
#ifndef UNDERSTUDY_CONTROL_REPORT_H
#define UNDERSTUDY_CONTROL_REPORT_H

#include "control/control.h"
#include "report/report.h"

/* What it is about: a workspace, the run of a label, or all where both are NULL. */
struct report_subject {
    struct workspace *workspace;
    const char *run;
};

/* Appends the report as a JSON document. ERR_NOT_FOUND: there is no such run; ERR_NO_MEMORY. */
int report_view_put(struct control *control, const struct report_subject *subject, struct buf *out);

/* The same as a report, for report_destroy(). */
int report_view_read(struct control *control, const struct report_subject *subject,
                     struct report **ret_report);

#endif

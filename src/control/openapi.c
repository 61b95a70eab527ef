/* getOpenapiDocument: the documents that the build put into the binary. */
#include "base/embed.h"
#include "control/internal.h"
#include "http/problem.h"
#include "http/respond.h"

#include <string.h>

void openapi_handler(struct request *request)
{
    const char *name = request_param(request, 0);
    for (const struct embedded_file *file = openapi_files; file->name; file++) {
        if (strcmp(file->name, name) == 0) {
            respond_static(request, 200, content_type_yaml, file->data, file->len);
            return;
        }
    }
    problem_answer(request, 404, "not_found", "Not Found", "There is no such document",
                   "The documents are studio.yaml, scenarios.yaml and control.yaml");
}

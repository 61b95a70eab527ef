/* `understudy report`: merges the reports of servers and of files, and judges them. */
#ifndef UNDERSTUDY_REPORT_COMMAND_H
#define UNDERSTUDY_REPORT_COMMAND_H

/* Runs it to its end; `argv` begins with "report". Returns the exit code (config_report.h). Prints
 * the report on standard output, and what is wrong on standard error. */
int report_command(int argc, char **argv, char *const envp[]);

#endif

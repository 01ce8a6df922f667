#ifndef PODWRIGHT_EXEC_H
#define PODWRIGHT_EXEC_H

/* Runs the plan's command and returns its exit code; 255 when it could not be started. */
int run_exec(char *plan_path);

#endif

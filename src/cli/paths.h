/* Names of files that one command line gives. */
#ifndef SR_CLI_PATHS_H
#define SR_CLI_PATHS_H

#include <seqring/status.h>
#include <stdbool.h>

/* Whether two names stand for one file, which need not exist yet. */
bool sr_same_file(const char *a, const char *b);

/* That the file of an option, which will be written, is not another one that is given: `what`. Either may be "".
 * Errors: SR_ERR_ARGUMENT. */
sr_status sr_check_differ(const char *option, const char *path, const char *other, const char *what);

#endif

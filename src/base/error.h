/* Raising a failure: a status for the program, one line for the person. */
#ifndef SR_BASE_ERROR_H
#define SR_BASE_ERROR_H

#include <seqring/status.h>

/* Keeps the line for sr_error_text and returns status, so that a failing function says `return sr_fail(...)`.
 * Control characters and line breaks of the text (names come from files) are shown as '?'. Of a line that is too long
 * the end is kept: long paths come first. */
sr_status sr_fail(sr_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room that sr_error_text needs at most, with its final NUL. */
enum { SR_ERROR_TEXT = 1024 };

/* Copies the line, and brings it back after failures that are none to the caller. */
void sr_error_keep(char text[SR_ERROR_TEXT]);
void sr_error_restore(const char text[SR_ERROR_TEXT]);

/* Hands the first failure on to the caller. */
#define SR_TRY(call)                                                                                                   \
  do {                                                                                                                 \
    sr_status sr_try_status_ = (call);                                                                                 \
    if (sr_try_status_ != SR_OK) return sr_try_status_;                                                                \
  } while (0)

#endif

#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a line before it is cut: it may name two files. */
enum { LONGEST = 2 * 4096 + SR_ERROR_TEXT };

static _Thread_local char last_text[SR_ERROR_TEXT];

sr_status sr_fail(sr_status status, const char *format, ...) {
  char text[LONGEST]; /* the arguments may point into last_text */
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const size_t length = strlen(text), kept = length < SR_ERROR_TEXT ? length : SR_ERROR_TEXT - 1;
  char *to = last_text;
  for (const char *from = text + length - kept; *from; from++)
    *to++ = (unsigned char)*from < ' ' || *from == 127 ? '?' : *from;
  *to = '\0';
  return status;
}

const char *sr_error_text(void) {
  return last_text;
}

void sr_error_keep(char text[SR_ERROR_TEXT]) {
  strcpy(text, last_text);
}

void sr_error_restore(const char text[SR_ERROR_TEXT]) {
  strcpy(last_text, text);
}

const char *sr_status_name(sr_status status) {
  switch (status) {
  case SR_OK:
    return "ok";
  case SR_ERR_ARGUMENT:
    return "argument";
  case SR_ERR_INPUT:
    return "input";
  case SR_ERR_OUTPUT:
    return "output";
  case SR_ERR_RESOURCE:
    return "resource";
  case SR_ERR_NONFINITE:
    return "nonfinite";
  case SR_ERR_WRONG:
    return "wrong";
  case SR_ERR_MPI:
    return "mpi";
  case SR_ERR_INTERNAL:
    return "internal";
  }
  return "unknown";
}

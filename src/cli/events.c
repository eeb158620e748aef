#include "events.h"

#include <stdio.h>

#include "cleanup.h"

void sr_event_warning(void *unused, const char *text) {
  (void)unused;
  fprintf(stderr, "seqring: warning: %s\n", text);
}

void sr_event_partial(void *unused, const char *path) {
  (void)unused;
  sr_cleanup_set(SR_CLEANUP_OUTPUT, path);
}

/* Libraries that are loaded when they are needed, and not with the program. */
#ifndef SR_BASE_LIBRARY_H
#define SR_BASE_LIBRARY_H

#include <seqring/status.h>

/* A function of a library, and where its address goes. */
typedef struct sr_symbol {
  const char *name;
  void *address; /* of a pointer to the function */
} sr_symbol;

/* Loads a library by the name that linking would record, for good, and finds all functions; name is for people. Errors:
 * SR_ERR_RESOURCE. */
sr_status sr_library_load(const char *file, const char *name, const sr_symbol *symbol, int n);

#endif

/* Small helpers round jansson. */
#ifndef SR_JOB_JSON_H
#define SR_JOB_JSON_H

#include <jansson.h>
#include <stdint.h>

/* A JSON string; bytes that are no UTF-8 (a path may hold any) become '?'. NULL without memory. */
json_t *sr_json_text(const char *text);

/* A number; null where it is none or infinite, which JSON has no words for. NULL without memory. */
json_t *sr_json_number(double value);

/* [dims[0], ...]. NULL without memory. */
json_t *sr_json_dims(const int64_t *dims, int n);

#endif

/* A struct as a JSON object, by a table of its fields. */
#ifndef SR_MODEL_FIELDS_H
#define SR_MODEL_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <seqring/status.h>

typedef enum sr_field_kind {
  SR_FIELD_INTEGER, /* int64_t */
  SR_FIELD_REAL,    /* double */
  SR_FIELD_FLAG,    /* bool */
  SR_FIELD_CHOICE   /* an enum that counts the words of a list */
} sr_field_kind;

typedef struct sr_field {
  const char *name;
  sr_field_kind kind;
  size_t offset;
  double least, most;        /* of numbers */
  const char *const *choice; /* NULL-terminated */
} sr_field;

#define SR_INTEGER(type, field, from, to)                                                                              \
  { #field, SR_FIELD_INTEGER, offsetof(type, field), from, to, NULL }
#define SR_REAL(type, field, from, to)                                                                                 \
  { #field, SR_FIELD_REAL, offsetof(type, field), from, to, NULL }
#define SR_FLAG(type, field)                                                                                           \
  { #field, SR_FIELD_FLAG, offsetof(type, field), 0, 0, NULL }
#define SR_CHOICE(type, field, words)                                                                                  \
  { #field, SR_FIELD_CHOICE, offsetof(type, field), 0, 0, words }

/* Adds all fields of the struct at `from`; false without memory. */
bool sr_fields_to_json(const sr_field *table, int n, const void *from, json_t *json);

/* Whether the numbers of a struct that something else has filled in are possible. Errors: SR_ERR_INPUT. */
sr_status sr_fields_check(const char *what, const char *name, const sr_field *table, int n, const void *from);

/* Fills the struct from an object that nobody vouches for and that must have every field. what and name begin the
 * messages. Errors: SR_ERR_INPUT. */
sr_status sr_fields_from_json(const char *what, const char *name, const sr_field *table, int n, const json_t *json,
                              void *to);

#endif

/* What a person, or a machine, sees of a benchmark: a table, CSV or JSON on standard output. */
#ifndef SR_CLI_BENCH_OUTPUT_H
#define SR_CLI_BENCH_OUTPUT_H

#include <jansson.h>

#include "bench/bench.h"
#include "bench/machine.h"

typedef struct sr_bench_output {
  const sr_machine *machine;
  const sr_bench_method *method;
  bool any_decode; /* some line is of few queries */
  json_t *lines;   /* of JSON: so far */
} sr_bench_output;

/* A format. A line appears as soon as it is measured where the format allows that. After begin, end is called in every
 * case, with what the benchmark came to. Errors: SR_ERR_RESOURCE. */
typedef struct sr_bench_format {
  sr_status (*begin)(sr_bench_output *output);
  sr_status (*line)(sr_bench_output *output, const sr_bench_line *line);
  sr_status (*end)(sr_bench_output *output, sr_status status);
} sr_bench_format;

extern const sr_bench_format sr_bench_table, sr_bench_csv, sr_bench_json;

/* The figures of a line that have a least, a middle and a largest value, for CSV and JSON. */
typedef struct sr_bench_key {
  const char *name;
  size_t offset;    /* of the sr_figure in sr_bench_line */
  bool decode_only; /* measured for few queries only */
} sr_bench_key;

extern const sr_bench_key sr_bench_key_table[];
extern const int sr_n_bench_keys;

static inline const sr_figure *sr_bench_figure(const sr_bench_key *key, const sr_bench_line *line) {
  return (const sr_figure *)((const char *)line + key->offset);
}

#endif

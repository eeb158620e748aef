/* The command info: what is in a file. */
#include <inttypes.h>
#include <jansson.h>
#include <seqring/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "commands.h"
#include "exits.h"
#include "launcher.h"
#include "text.h"

static void shape_text(const sr_dataset_info *dataset, char text[128]) {
  int n = 0;
  text[0] = '\0';
  if (dataset->rank == 0 && dataset->storage[0]) snprintf(text, 128, "scalar");
  for (int i = 0; i < dataset->rank && i < 4; i++)
    n += snprintf(text + n, 128 - (size_t)n, "%s%" PRId64, i ? " x " : "", dataset->dims[i]);
  if (dataset->rank > 4) snprintf(text + n, 128 - (size_t)n, " x ...");
}

static void print_dataset(const sr_dataset_info *dataset, int name_width, int shape_width) {
  char shape[128], size[SR_NUMBER_TEXT];
  shape_text(dataset, shape);
  fputs("  ", stdout);
  sr_text_foreign(stdout, dataset->name);
  printf("%*s  %-*s  ", name_width - (int)strlen(dataset->name), "", shape_width, shape);
  printf(dataset->storage[0] ? "%-9s  " : "%s", dataset->type);
  sr_text_foreign(stdout, dataset->storage);
  if (dataset->file_bytes > 0) printf(", %s", sr_text_bytes((double)dataset->file_bytes, size));
  putchar('\n');
}

static void print_datasets(const sr_file_info *file) {
  int name_width = 0, shape_width = 0;
  for (int i = 0; i < file->n_datasets; i++) {
    char shape[128];
    shape_text(&file->dataset[i], shape);
    if ((int)strlen(shape) > shape_width) shape_width = (int)strlen(shape);
    if ((int)strlen(file->dataset[i].name) > name_width) name_width = (int)strlen(file->dataset[i].name);
  }
  for (int i = 0; i < file->n_datasets; i++) print_dataset(&file->dataset[i], name_width, shape_width);
  if (file->n_datasets == 0) puts("  no datasets");
}

static void print_as_input(const sr_settings *settings) {
  static sr_input_info input;
  if (sr_input_probe(settings->input, settings->group, &input)) {
    printf("\nattend: no: %s\n", sr_error_text());
    return;
  }
  printf("\nattend: yes: %" PRId64 " queries of %" PRId64 " heads, %" PRId64 " keys of %" PRId64
         " heads, width %" PRId64,
         input.q_len, input.q_heads, input.kv_len, input.kv_heads, input.head_dim);
  if (input.value_dim != input.head_dim) printf(" (values %" PRId64 ")", input.value_dim);
  printf(", %s\n", sr_dtype_name(input.dtype));
}

/* Objects are printed as names and values down to this depth; what lies deeper, and lists, on one line. */
enum { DEPTH_MAX = 3, NAME_WIDTH = 14 };

/* The text comes from the file: everything but plain ASCII is escaped. */
static void print_json(const json_t *json, int depth) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)json, name, value) {
    printf("%*s", 2 * depth, "");
    sr_text_foreign(stdout, name);
    int blanks = NAME_WIDTH - (int)strlen(name);
    if (json_is_object(value) && depth < DEPTH_MAX) {
      putchar('\n');
      print_json(value, depth + 1);
      continue;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
    printf("%*s%s\n", blanks < 1 ? 1 : blanks, "", text ? text : "?");
    free(text);
  }
}

static void print_provenance(const char *text) {
  json_t *json = json_loads(text, 0, NULL);
  if (json_is_object(json)) {
    puts("provenance:");
    print_json(json, 1);
  } else {
    puts("provenance: not readable as JSON");
  }
  json_decref(json);
}

static void print_as_output(const sr_file_info *file) {
  printf("\noutput of seqring: %s\n", file->is_complete ? "complete" : "not complete");
  if (file->provenance) print_provenance(file->provenance);
}

static sr_status show(const sr_settings *settings, bool speak) {
  char size[SR_NUMBER_TEXT];
  sr_file_info file;
  if (!settings->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no file; usage: seqring info IN.h5 [--group NAME]");
  SR_TRY(sr_file_probe(settings->input, settings->group, &file));
  if (speak) {
    sr_text_foreign(stdout, settings->input);
    printf(": %s, group ", sr_text_bytes((double)file.size, size));
    sr_text_foreign(stdout, settings->group);
    putchar('\n');
    print_datasets(&file);
    if (file.is_output)
      print_as_output(&file);
    else
      print_as_input(settings);
  }
  bool cut = file.is_output && !file.is_complete;
  sr_file_info_free(&file);
  return cut ? sr_fail(SR_ERR_INPUT, "%s: the output is not complete", settings->input) : SR_OK;
}

int sr_command_info(const sr_arguments *arguments, const sr_settings *settings) {
  (void)arguments;
  bool speak = sr_launcher_rank() <= 0;
  sr_status status = show(settings, speak);
  if (status != SR_OK) {
    sr_exit_explained(status, speak);
    sr_launcher_stand_back();
  }
  return sr_exit_of(status);
}

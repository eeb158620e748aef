#include "config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "base/error.h"

enum { SIZE_MAX_BYTES = 1 << 20 };

/* What libcyaml loads: the text of each key, NULL where it is absent. */
typedef struct values {
  char *text[SR_OPTIONS_MAX];
} values;

/* What libcyaml said: the first complaint, and the innermost place that it names. */
typedef struct complaint {
  char text[256];
  char place[256];
  int line;
} complaint;

static void listen(cyaml_log_t level, void *context, const char *format, va_list args) {
  complaint *heard = context;
  char text[256];
  if (level < CYAML_LOG_WARNING) return;
  vsnprintf(text, sizeof text, format, args);
  text[strcspn(text, "\n")] = '\0';
  const char *line = strstr(text, " (line: "), *told = strncmp(text, "Load: ", 6) ? text : text + 6;
  if (!heard->text[0])
    strcpy(heard->text, told);
  else if (line && heard->line == 0) {
    heard->line = atoi(line + 8);
    snprintf(heard->place, sizeof heard->place, "%.*s", (int)(line - text), text);
  }
}

/* Line of the file that begins with a key; 0 when there is none. libcyaml knows the line of the key before. */
static int line_of(const char *text, const char *key) {
  int line = 1;
  size_t length = strlen(key);
  while (text) {
    text += strspn(text, " \t?\"'");
    if (!strncmp(text, key, length) && strchr(" \t:\"'\n", text[length])) return line;
    text = strchr(text, '\n');
    if (text) text++;
    line++;
  }
  return 0;
}

static sr_status explain(unsigned command, const char *path, const char *text, cyaml_err_t error,
                         const complaint *heard) {
  static const char unexpected[] = "Unexpected key: ";
  if (error == CYAML_ERR_INVALID_KEY && !strncmp(heard->text, unexpected, sizeof unexpected - 1)) {
    const char *key = heard->text + sizeof unexpected - 1;
    return sr_fail(SR_ERR_ARGUMENT, "%s: line %d: unknown key '%s'; did you mean '%s'?", path, line_of(text, key), key,
                   sr_option_nearest_key(command, key));
  }
  const char *what = heard->text[0] ? heard->text : cyaml_strerror(error);
  if (heard->line == 0) return sr_fail(SR_ERR_ARGUMENT, "%s: %s", path, what);
  const char *in = heard->place + strspn(heard->place, " ");
  return sr_fail(SR_ERR_ARGUMENT, "%s: line %d or after, %s: %s", path, heard->line, in, what);
}

static void build_schema(unsigned command, cyaml_schema_field_t field[SR_OPTIONS_MAX + 1]) {
  int n = 0;
  for (int i = 0; i < sr_n_options; i++) {
    if (!sr_option_table[i].in_config || !(sr_option_table[i].commands & command)) continue;
    field[n++] = (cyaml_schema_field_t){
        .key = sr_option_table[i].name,
        .data_offset = (uint32_t)(offsetof(values, text) + (size_t)i * sizeof(char *)),
        .value = {.type = CYAML_STRING,
                  .flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                  .data_size = sizeof(char),
                  .string = {.min = 0, .max = CYAML_UNLIMITED}},
    };
  }
  field[n] = (cyaml_schema_field_t)CYAML_FIELD_END;
}

static sr_status apply(const char *path, const values *loaded, sr_settings *settings) {
  char where[SR_ERROR_TEXT];
  snprintf(where, sizeof where, "%s: ", path);
  for (int i = 0; i < sr_n_options; i++)
    if (loaded->text[i]) SR_TRY(sr_option_set(&sr_option_table[i], where, loaded->text[i], settings));
  return SR_OK;
}

static sr_status load(unsigned command, const char *path, const char *text, size_t size, sr_settings *settings) {
  cyaml_schema_field_t field[SR_OPTIONS_MAX + 1];
  build_schema(command, field);
  const cyaml_schema_value_t top = {
      .type = CYAML_MAPPING, .flags = CYAML_FLAG_POINTER, .data_size = sizeof(values), .mapping = {.fields = field}};
  complaint heard = {0};
  const cyaml_config_t config = {.log_fn = listen,
                                 .log_ctx = &heard,
                                 .mem_fn = cyaml_mem,
                                 .log_level = CYAML_LOG_WARNING,
                                 .flags = CYAML_CFG_DEFAULT};
  values *loaded = NULL;
  cyaml_err_t error = cyaml_load_data((const uint8_t *)text, size, &config, &top, (cyaml_data_t **)&loaded, NULL);
  sr_status status = SR_OK;
  if (error || heard.text[0])
    status = explain(command, path, text, error, &heard);
  else if (loaded)
    status = apply(path, loaded, settings);
  if (loaded) cyaml_free(&config, &top, loaded, 0);
  return status;
}

sr_status sr_config_apply(unsigned command, const char *path, sr_settings *settings) {
  sr_status status = SR_OK;
  char *text = NULL;
  FILE *file = fopen(path, "re");
  if (!file) return sr_fail(SR_ERR_ARGUMENT, "%s: cannot read the configuration: %s", path, strerror(errno));
  text = calloc(1, SIZE_MAX_BYTES + 1);
  if (!text) {
    status = sr_fail(SR_ERR_RESOURCE, "%s: no memory to read it", path);
    goto done;
  }
  size_t size = fread(text, 1, SIZE_MAX_BYTES, file);
  if (ferror(file))
    status = sr_fail(SR_ERR_ARGUMENT, "%s: cannot read the configuration: %s", path, strerror(errno));
  else if (size == SIZE_MAX_BYTES)
    status = sr_fail(SR_ERR_ARGUMENT, "%s: too large for a configuration", path);
  else
    status = load(command, path, text, size, settings);
done:
  free(text);
  fclose(file);
  return status;
}

sr_status sr_config_settings(unsigned command, const sr_arguments *arguments, sr_settings *settings) {
  sr_settings_default(settings);
  SR_TRY(sr_arguments_apply(arguments, settings));
  if (!settings->config[0]) return SR_OK;
  SR_TRY(sr_config_apply(command, settings->config, settings));
  return sr_arguments_apply(arguments, settings);
}

#include "arguments.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What popt returns for option i of the option table is i + 1, and this much more for its "no-NAME". */
enum { NEGATED = SR_OPTIONS_MAX };

/* The option table as popt wants it. */
typedef struct popt_table {
  struct poptOption option[2 * SR_OPTIONS_MAX + 1];
  char negated[SR_OPTIONS_MAX][64];
} popt_table;

static void build_table(unsigned command, popt_table *table) {
  struct poptOption *next = table->option;
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (option->positional || !(option->commands & command)) continue;
    unsigned takes = option->kind == SR_KIND_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING;
    *next++ = (struct poptOption){option->name, option->letter, takes, NULL, i + 1, NULL, NULL};
    if (!sr_option_is_undone(option)) continue;
    snprintf(table->negated[i], sizeof table->negated[i], "no-%s", option->name);
    *next++ = (struct poptOption){table->negated[i], '\0', POPT_ARG_NONE, NULL, NEGATED + i + 1, NULL, NULL};
  }
  *next = (struct poptOption)POPT_TABLEEND;
}

/* text behind what the slot has. */
static char *append(const char *slot, const char *text) {
  char *both = NULL;
  return asprintf(&both, "%s\n%s", slot, text) < 0 ? NULL : both;
}

/* Takes text over, which may be NULL for want of memory. Every option but for lists of files may be given once: of two
 * values, one would be ignored without a word. */
static sr_status keep(sr_arguments *arguments, const sr_option *option, char *text) {
  char **slot = &arguments->text[option - sr_option_table];
  sr_status status = SR_OK;
  if (text && *slot && option->kind == SR_KIND_PATHS) {
    char *both = append(*slot, text);
    free(*slot);
    free(text);
    *slot = NULL;
    text = both;
  }
  if (!text)
    status = sr_fail(SR_ERR_RESOURCE, "no memory for option '--%s'", option->name);
  else if (*slot)
    status = sr_fail(SR_ERR_ARGUMENT, "option '--%s' is given twice", option->name);
  else
    *slot = text;
  if (status != SR_OK) free(text);
  return status;
}

/* No value begins with two hyphens: such a word is an option behind one whose value was forgotten. */
static sr_status keep_value(sr_arguments *arguments, const sr_option *option, char *text) {
  if (!text || strncmp(text, "--", 2) != 0) return keep(arguments, option, text);
  sr_status status = sr_fail(SR_ERR_ARGUMENT,
                             "option '--%s' needs a value, but '%.200s' follows; a name that begins so is written "
                             "./%.200s",
                             option->name, text, text);
  free(text);
  return status;
}

static sr_status explain(unsigned command, poptContext context, int error) {
  const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
  switch (error) {
  case POPT_ERROR_BADOPT:
    return sr_fail(SR_ERR_ARGUMENT, "unknown option '%.200s'; did you mean '--%s'?", word,
                   sr_option_nearest(command, name + strspn(name, "-")));
  case POPT_ERROR_NOARG:
    return sr_fail(SR_ERR_ARGUMENT, "option '%.200s' needs a value", word);
  case POPT_ERROR_UNWANTEDARG:
    return sr_fail(SR_ERR_ARGUMENT, "option '%s' takes no value, as in '%.200s': a switch is undone by --no-NAME", name,
                   word);
  default:
    return sr_fail(SR_ERR_ARGUMENT, "option '%.200s': %s", word, poptStrerror(error));
  }
}

static sr_status keep_options(unsigned command, poptContext context, sr_arguments *arguments) {
  int found;
  while ((found = poptGetNextOpt(context)) > 0) {
    bool negated = found > NEGATED;
    const sr_option *option = &sr_option_table[found - 1 - (negated ? NEGATED : 0)];
    if (option->kind == SR_KIND_FLAG)
      SR_TRY(keep(arguments, option, strdup(negated ? "no" : "yes")));
    else
      SR_TRY(keep_value(arguments, option, poptGetOptArg(context)));
  }
  return found == -1 ? SR_OK : explain(command, context, found);
}

static sr_status keep_positional(unsigned command, const char *word, sr_arguments *arguments) {
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    const bool takes = option->positional || option->kind == SR_KIND_PATHS;
    if (!takes || !(option->commands & command)) continue;
    if (!arguments->text[i] || option->kind == SR_KIND_PATHS) return keep(arguments, option, strdup(word));
    return sr_fail(SR_ERR_ARGUMENT, "unexpected '%.200s': the %s is '%.200s' already", word, option->name,
                   arguments->text[i]);
  }
  return sr_fail(SR_ERR_ARGUMENT, "unexpected '%.200s'", word);
}

sr_status sr_arguments_parse(unsigned command, int argc, char **argv, sr_arguments *arguments) {
  *arguments = (sr_arguments){0};
  for (int i = 0; i < argc; i++) /* popt would put the next word there, as in its aliases */
    if (strstr(argv[i], "!#:+")) return sr_fail(SR_ERR_ARGUMENT, "'%.200s': '!#:+' is not possible here", argv[i]);
  popt_table table;
  build_table(command, &table);
  poptContext context =
      poptGetContext(NULL, argc, (const char **)argv, table.option, POPT_CONTEXT_KEEP_FIRST | POPT_CONTEXT_NO_EXEC);
  if (!context) return sr_fail(SR_ERR_RESOURCE, "no memory for the command line");
  sr_status status = keep_options(command, context, arguments);
  const char **rest = poptGetArgs(context);
  for (int i = 0; status == SR_OK && rest && rest[i]; i++) status = keep_positional(command, rest[i], arguments);
  poptFreeContext(context);
  return status;
}

sr_status sr_arguments_apply(const sr_arguments *arguments, sr_settings *settings) {
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (arguments->text[i]) SR_TRY(sr_option_set(option, option->positional ? "" : "--", arguments->text[i], settings));
  }
  return SR_OK;
}

void sr_arguments_free(sr_arguments *arguments) {
  for (int i = 0; i < SR_OPTIONS_MAX; i++) free(arguments->text[i]);
  *arguments = (sr_arguments){0};
}

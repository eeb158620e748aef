#include "arguments.h"

#include <string.h>

#include "base/error.h"

/* Words not yet looked at. */
typedef struct words {
  unsigned command;
  char **next, **end;
  sr_arguments *arguments;
} words;

static sr_status unknown(const words *w, const char *word, const char *name) {
  return sr_fail(SR_ERR_ARGUMENT, "unknown option '%.200s'; did you mean '--%s'?", word,
                 sr_option_nearest(w->command, name));
}

/* Every option may be given once: of two values, one would be ignored without a word. */
static sr_status keep(const words *w, const sr_option *option, const char *text) {
  const char **slot = &w->arguments->text[option - sr_option_table];
  if (*slot) return sr_fail(SR_ERR_ARGUMENT, "option '--%s' is given twice", option->name);
  *slot = text;
  return SR_OK;
}

/* An option's value is the next word. One that looks like an option is most likely a forgotten value. */
static sr_status keep_next(words *w, const sr_option *option) {
  if (w->next == w->end)
    return sr_fail(SR_ERR_ARGUMENT, "option '--%s' needs a value: --%s %s", option->name, option->name,
                   option->argument);
  if (!strncmp(*w->next, "--", 2))
    return sr_fail(SR_ERR_ARGUMENT,
                   "option '--%s' needs a value, but '%.200s' follows; a name that begins so is written ./%.200s",
                   option->name, *w->next, *w->next);
  return keep(w, option, *w->next++);
}

/* --NAME, --NAME VALUE, --NAME=VALUE, --no-NAME */
static sr_status parse_long(words *w, const char *word) {
  char name[64];
  bool negated;
  size_t length = strcspn(word + 2, "=");
  const char *value = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
  size_t kept = length < sizeof name ? length : sizeof name - 1;
  memcpy(name, word + 2, kept);
  name[kept] = '\0';
  const sr_option *option = kept == length ? sr_option_find(w->command, name, &negated) : NULL;
  if (!option) return unknown(w, word, name);
  if (option->kind != SR_KIND_FLAG) return value ? keep(w, option, value) : keep_next(w, option);
  if (value && (negated || !option->in_config)) return sr_fail(SR_ERR_ARGUMENT, "option '--%s' takes no value", name);
  return keep(w, option, value ? value : negated ? "no" : "yes");
}

static const sr_option *find_letter(unsigned command, char letter) {
  for (int i = 0; i < sr_n_options; i++)
    if (sr_option_table[i].letter == letter && (sr_option_table[i].commands & command)) return &sr_option_table[i];
  return NULL;
}

/* -q, -oVALUE, -o VALUE, -qo VALUE */
static sr_status parse_letters(words *w, const char *word) {
  for (const char *at = word + 1; *at; at++) {
    const sr_option *option = find_letter(w->command, *at);
    if (!option) return unknown(w, word, word + 1);
    if (option->kind != SR_KIND_FLAG) return at[1] ? keep(w, option, at + 1) : keep_next(w, option);
    SR_TRY(keep(w, option, "yes"));
  }
  return SR_OK;
}

static sr_status parse_positional(words *w, const char *word) {
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (!option->positional || !(option->commands & w->command)) continue;
    const char **slot = &w->arguments->text[i];
    if (*slot)
      return sr_fail(SR_ERR_ARGUMENT, "unexpected '%.200s': the %s is '%.200s' already", word, option->name, *slot);
    *slot = word;
    return SR_OK;
  }
  return sr_fail(SR_ERR_ARGUMENT, "unexpected '%.200s'", word);
}

sr_status sr_arguments_parse(unsigned command, int argc, char **argv, sr_arguments *arguments) {
  *arguments = (sr_arguments){0};
  words w = {.command = command, .next = argv, .end = argv + argc, .arguments = arguments};
  bool options_ended = false;
  while (w.next != w.end) {
    const char *word = *w.next++;
    if (options_ended || word[0] != '-' || word[1] == '\0')
      SR_TRY(parse_positional(&w, word));
    else if (!strcmp(word, "--"))
      options_ended = true;
    else if (word[1] == '-')
      SR_TRY(parse_long(&w, word));
    else
      SR_TRY(parse_letters(&w, word));
  }
  return SR_OK;
}

sr_status sr_arguments_apply(const sr_arguments *arguments, sr_settings *settings) {
  for (int i = 0; i < sr_n_options; i++) {
    const sr_option *option = &sr_option_table[i];
    if (arguments->text[i]) SR_TRY(sr_option_set(option, option->positional ? "" : "--", arguments->text[i], settings));
  }
  return SR_OK;
}

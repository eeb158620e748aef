/* The command tokenize: ids of a text's tokens. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "commands.h"
#include "exits.h"
#include "launcher.h"
#include "model/saved.h"
#include "model/text.h"
#include "model/tokenizer.h"

static sr_status print_token(void *data, int32_t token, int64_t offset) {
  bool *any = data;
  (void)offset;
  printf("%s%" PRId32, *any ? " " : "", token);
  *any = true;
  return SR_OK;
}

static sr_status tokenize(const sr_settings *s, const sr_saved *saved) {
  sr_tokenizer *tokenizer;
  sr_text text;
  bool any = false, more;
  SR_TRY(sr_tokenizer_create(s->model, &saved->vocabulary, &tokenizer));
  sr_status status = sr_text_open(s->input, SR_CUT_NEVER, SR_CUT_NEVER, &text);
  if (status == SR_OK) status = sr_text_next(&text, &more);
  if (status == SR_OK) status = sr_tokenizer_read(tokenizer, &text, &(sr_token_sink){print_token, &any});
  if (status == SR_OK) putchar('\n');
  sr_text_close(&text);
  sr_tokenizer_destroy(&tokenizer);
  return status;
}

static sr_status run(const sr_settings *s) {
  const char *usage = "usage: seqring tokenize --model MODEL.h5 FILE";
  if (!s->model[0]) return sr_fail(SR_ERR_ARGUMENT, "no model file; %s", usage);
  if (!s->input[0]) return sr_fail(SR_ERR_ARGUMENT, "no text; %s", usage);
  sr_saved saved;
  sr_status status = sr_saved_open(s->model, &saved);
  if (status == SR_OK) status = tokenize(s, &saved);
  sr_saved_close(&saved);
  return status;
}

int sr_command_tokenize(const sr_arguments *arguments, const sr_settings *settings) {
  (void)arguments;
  const bool speak = sr_launcher_rank() <= 0;
  sr_status status = speak ? run(settings) : SR_OK;
  if (status != SR_OK) {
    sr_exit_explained(status, speak);
    sr_launcher_stand_back();
  }
  return sr_exit_of(status);
}

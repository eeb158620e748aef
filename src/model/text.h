/* Texts, as files. */
#ifndef SR_MODEL_TEXT_H
#define SR_MODEL_TEXT_H

#include <stdio.h>

#include <seqring/status.h>

/* Opens a text for reading; "-" is the standard input. Errors: SR_ERR_INPUT (also for a directory). */
sr_status sr_text_open(const char *path, FILE **file);
void sr_text_close(FILE *file);

#endif

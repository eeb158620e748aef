/* Numbers and text as people read them. */
#ifndef SR_CLI_TEXT_H
#define SR_CLI_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Room for one formatted number with its unit. */
enum { SR_NUMBER_TEXT = 32 };

/* "512 B", "12.3 MiB" */
const char *sr_text_bytes(double bytes, char text[SR_NUMBER_TEXT]);

/* "1.23 ms", "45.6 s", "1 h 02 min" */
const char *sr_text_seconds(double seconds, char text[SR_NUMBER_TEXT]);

/* "1.23 G", to be followed by a unit; "0.98 " below a thousand. */
const char *sr_text_metric(double value, char text[SR_NUMBER_TEXT]);

/* Prints text in lines of at most width columns; every line but the first begins with indent blanks. column is where
 * the first one stands. Ends with a line break. */
void sr_text_wrap(FILE *file, const char *text, int column, int indent, int width);

/* Prints text from a file with control characters as '?', so that it cannot command the terminal. */
void sr_text_foreign(FILE *file, const char *text);

#endif

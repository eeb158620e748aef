/* The right word for a misspelt one. */
#ifndef SR_CLI_NEAREST_H
#define SR_CLI_NEAREST_H

/* How far word is from meant: the least number of letters to insert, remove, change or swap with a neighbour. A
 * beginning of meant is at 0, since that is how people shorten words. */
int sr_word_distance(const char *word, const char *meant);

#endif

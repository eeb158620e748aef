/* What a job's events are to a person at a terminal. */
#ifndef SR_CLI_EVENTS_H
#define SR_CLI_EVENTS_H

/* Prints a warning. */
void sr_event_warning(void *unused, const char *text);

/* Names the incomplete output, or none when path is NULL, for a signal to remove. */
void sr_event_partial(void *unused, const char *path);

#endif

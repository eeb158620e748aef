/* The manual page, made from the tables of options, commands, exit statuses and statistics. */
#ifndef SR_CLI_MAN_H
#define SR_CLI_MAN_H

/* Prints it as troff on stdout. */
void sr_man_print(void);

#endif

/* Files that must not outlive a process that is told to end. */
#ifndef SR_CLI_CLEANUP_H
#define SR_CLI_CLEANUP_H

typedef enum sr_cleanup { SR_CLEANUP_OUTPUT, SR_CLEANUP_STATS, SR_N_CLEANUPS } sr_cleanup;

/* From now on the signals that users and batch systems send to end a process remove what was named, and then end the
 * process as they would have; a limit on file sizes and a pipe that nobody reads end none. */
void sr_cleanup_install(void);

/* Names the file to remove, or none when path is NULL. */
void sr_cleanup_set(sr_cleanup which, const char *path);

#endif

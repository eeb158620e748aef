/* Wall clock that never goes back. */
#ifndef SR_BASE_CLOCK_H
#define SR_BASE_CLOCK_H

/* Seconds since some fixed moment. */
double sr_now(void);

#endif

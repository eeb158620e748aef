/* Status codes of every seqring call, and the sentence that goes with a failure.
 *
 *   sr_status st = sr_plan_create(comm, &options, &plan);
 *   if (st) fprintf(stderr, "%s\n", sr_error_text());
 *
 * A collective call returns the same status and the same sentence on every rank: the failure of one rank is a failure
 * on all of them.
 */
#ifndef SEQRING_STATUS_H
#define SEQRING_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sr_status {
  SR_OK = 0,
  SR_ERR_ARGUMENT,  /* an option, a pointer or a shape that cannot be honoured */
  SR_ERR_INPUT,     /* an input file that is missing, unreadable, damaged or of another shape */
  SR_ERR_OUTPUT,    /* an output that cannot be created, written or completed */
  SR_ERR_RESOURCE,  /* too little memory, disk, or another limit of the machine */
  SR_ERR_NONFINITE, /* a NaN or Inf where none may be */
  SR_ERR_WRONG,     /* a result that a float64 recomputation does not confirm */
  SR_ERR_MPI,       /* an MPI call failed: the communicator cannot be trusted any more */
  SR_ERR_INTERNAL   /* a fault of seqring itself */
} sr_status;

/* A short name of the status, such as "input"; never NULL. Not collective. */
const char *sr_status_name(sr_status status);

/* One line about the last failure of a seqring call in this thread: what was wrong, with the file, dataset or option
 * that it was wrong with, and the host where that is another than the communicator's rank 0 is on. Empty before the
 * first failure; valid until the next one. Not collective. */
const char *sr_error_text(void);

#ifdef __cplusplus
}
#endif
#endif

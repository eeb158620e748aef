/* An HDF5 file driver that never fails to write.
 *
 * HDF5 1.10 crashes when it cannot write what it holds back: when the file is closed, at exit, or in MPI_Finalize. This
 * driver works on a descriptor that is open already, keeps the first error and lets HDF5 go on as if all were well; who
 * closes the file looks at the error then. It takes no locks, which many parallel file systems lack.
 */
#ifndef SR_IO_H5_SINK_H
#define SR_IO_H5_SINK_H

#include <hdf5.h>

typedef struct sr_h5_sink {
  int fd;    /* open for reading and writing; not closed by HDF5 */
  int error; /* errno of the first write that failed, else 0 */
} sr_h5_sink;

/* Makes an HDF5 file in the empty file of the sink, or opens the one there; name is for HDF5's messages. The sink must
 * outlive the file. Closing it closes all that is open in it. Negative on failure. */
hid_t sr_h5_sink_create(sr_h5_sink *sink, const char *name, hid_t create_list);
hid_t sr_h5_sink_open(sr_h5_sink *sink, const char *name);

#endif

/* What every part that calls HDF5 shares: a silent library, its words in our messages, element types, attributes. */
#ifndef SR_IO_H5_H
#define SR_IO_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include <seqring/status.h>
#include <seqring/types.h>

/* The error printing and the plug-ins of the program around us, kept while we switch them off. */
typedef struct sr_h5_quiet {
  H5E_auto2_t print;
  void *data;
  unsigned plugins;
} sr_h5_quiet;

/* Between the two HDF5 prints nothing and loads no plug-in. */
void sr_h5_begin(sr_h5_quiet *quiet);
void sr_h5_end(const sr_h5_quiet *quiet);

/* sr_fail, followed by HDF5's own words about the innermost cause of the call that has just failed. */
sr_status sr_h5_fail(sr_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens a file for reading with the plain POSIX driver, whatever the environment says, and without insisting on file
 * locks, which many parallel file systems lack; closing it closes all that is open in it. Negative on failure. */
hid_t sr_h5_open(const char *path);

/* The type of dtype in memory: IEEE floats, and uint16 for bfloat16. Close it with H5Tclose. Negative on failure. */
hid_t sr_h5_type(sr_dtype dtype);

/* Whether type is one of the IEEE floats that seqring reads, in either byte order. */
bool sr_h5_is_float(hid_t type, sr_dtype *dtype);

/* Whether type is one of the integers of sr_dtype, in either byte order. */
bool sr_h5_is_integer(hid_t type, sr_dtype *dtype);

/* Copies a scalar text attribute to text[0..size), cut when longer; false when there is none. */
bool sr_h5_get_text(hid_t object, const char *name, char *text, size_t size);

/* Adds a scalar text attribute: a variable-length UTF-8 string. Negative on failure. */
herr_t sr_h5_put_text(hid_t object, const char *name, const char *text);

#endif

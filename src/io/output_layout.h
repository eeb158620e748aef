/* The HDF5 side of an output: datasets, dimension scales and attributes, without the elements. */
#ifndef SR_IO_OUTPUT_LAYOUT_H
#define SR_IO_OUTPUT_LAYOUT_H

#include <seqring/io.h>

/* Turns the empty file behind fd into one that has the datasets, contiguous and allocated but not written, and tells at
 * which bytes they begin. */
sr_status sr_output_layout_make(const char *path, int fd, const sr_output_spec *spec, uint64_t *offset);

/* Adds provenance and the mark of completeness. */
sr_status sr_output_layout_complete(const char *path, int fd, const char *provenance);

#endif

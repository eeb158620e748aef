/* Which HDF5 library runs. */
#ifndef SR_IO_HDF5_VERSION_H
#define SR_IO_HDF5_VERSION_H

/* Room for a version. */
enum { SR_HDF5_VERSION_TEXT = 40 };

/* "1.10.8", or "unknown". Not collective. */
void sr_io_hdf5_version(char text[SR_HDF5_VERSION_TEXT]);

#endif

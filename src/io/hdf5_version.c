#include "hdf5_version.h"

#include <hdf5.h>
#include <stdio.h>

void sr_io_hdf5_version(char text[SR_HDF5_VERSION_TEXT]) {
  unsigned major, minor, patch;
  if (H5get_libversion(&major, &minor, &patch) < 0)
    snprintf(text, SR_HDF5_VERSION_TEXT, "unknown");
  else
    snprintf(text, SR_HDF5_VERSION_TEXT, "%u.%u.%u", major, minor, patch);
}

#ifndef SR_CLI_VERSION_H
#define SR_CLI_VERSION_H

/* The licence of the program, as an SPDX identifier. */
#define SR_LICENCE "Apache-2.0"

#endif

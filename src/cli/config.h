/* Options from a YAML file. */
#ifndef SR_CLI_CONFIG_H
#define SR_CLI_CONFIG_H

#include <seqring/status.h>

#include "settings.h"

/* Sets what the file gives. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE. */
sr_status sr_config_apply(const char *path, sr_settings *settings);

#endif

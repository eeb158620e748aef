/* Options from a YAML file. */
#ifndef SR_CLI_CONFIG_H
#define SR_CLI_CONFIG_H

#include <seqring/status.h>

#include "arguments.h"
#include "settings.h"

/* Sets what the file gives. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE. */
sr_status sr_config_apply(unsigned command, const char *path, sr_settings *settings);

/* The settings of a command: its defaults, what its configuration file says where there is one, and what the command
 * line says. Errors: SR_ERR_ARGUMENT, SR_ERR_RESOURCE. */
sr_status sr_config_settings(unsigned command, const sr_arguments *arguments, sr_settings *settings);

#endif

/* seqring: exact attention over sequences sharded over MPI ranks. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "commands.h"
#include "exits.h"
#include "launcher.h"
#include "parallel.h"

static bool is_one_of(const char *word, const char *letter, const char *name) {
  return !strcmp(word, letter) || !strcmp(word, name);
}

static sr_status find_command(const char *word, const sr_command **command) {
  *command = sr_command_find(is_one_of(word, "-h", "--help")      ? "help"
                             : is_one_of(word, "-V", "--version") ? "version"
                                                                  : word);
  if (*command) return SR_OK;
  if (word[0] == '-')
    return sr_fail(SR_ERR_ARGUMENT,
                   "unknown option '%.200s'; did you mean '--%s'? Options of a command follow its name", word,
                   sr_option_nearest(SR_FOR_VERSION, word + strspn(word, "-")));
  return sr_fail(SR_ERR_ARGUMENT, "unknown command '%.200s'; did you mean '%s'?", word, sr_command_nearest(word));
}

/* A wrong command line is seen by every process alike, so that none has to start MPI to learn of it. */
static sr_status understand(int argc, char **argv, const sr_command **command, sr_arguments *arguments,
                            sr_settings *settings) {
  if (argc < 2) return sr_fail(SR_ERR_ARGUMENT, "usage: seqring COMMAND ...; 'seqring help' lists the commands");
  SR_TRY(find_command(argv[1], command));
  SR_TRY(sr_arguments_parse((*command)->bit, argc - 2, argv + 2, arguments));
  sr_settings_default(settings);
  return sr_arguments_apply(arguments, settings);
}

static int run(const sr_command *command, const sr_arguments *arguments, sr_settings *settings) {
  if (settings->version) return sr_command_version(arguments, settings);
  if (!settings->help) return command->run(arguments, settings);
  snprintf(settings->topic, sizeof settings->topic, "%s", command->name);
  return sr_command_help(arguments, settings);
}

/* A file opened later must not get the number of a standard stream that was closed, or messages would go into it. */
static void hold_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) _exit(1);
}

int main(int argc, char **argv) {
  static sr_settings settings;
  sr_arguments arguments = {0};
  const sr_command *command = NULL;
  hold_standard_streams();
  bool speak = sr_launcher_rank() <= 0;
  sr_status status = understand(argc, argv, &command, &arguments, &settings);
  int code = status == SR_OK ? sr_exit_printed(run(command, &arguments, &settings), speak) : sr_parallel_refuse(status);
  sr_arguments_free(&arguments);
  return code;
}

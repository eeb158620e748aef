#include <string.h>

#include "base/error.h"
#include "commands.h"
#include "exits.h"
#include "launcher.h"
#include "man.h"
#include "parallel.h"
#include "text.h"

enum { WIDTH = 80, COLUMN = 26 };

static void print_option(const sr_option *option) {
  char name[128];
  int n = 0;
  if (option->positional) {
    n = snprintf(name, sizeof name, "  %s", option->argument);
  } else {
    if (option->letter)
      n = snprintf(name, sizeof name, "  -%c, ", option->letter);
    else
      n = snprintf(name, sizeof name, "      ");
    n += snprintf(name + n, sizeof name - (size_t)n, "--%s%s%s", option->name, option->argument ? " " : "",
                  option->argument ? option->argument : "");
  }
  char help[2048];
  bool standard = option->standard && strcmp(option->standard, "no") != 0;
  snprintf(help, sizeof help, "%s%s%s%s", option->help, standard ? " [" : "", standard ? option->standard : "",
           standard ? "]" : "");
  if (n > COLUMN - 2)
    printf("%s\n%*s", name, COLUMN, "");
  else
    printf("%-*s", COLUMN, name);
  sr_text_wrap(stdout, help, COLUMN, COLUMN, WIDTH);
}

static void print_exits(void) {
  puts("\nExit status, the same on every rank:");
  for (int i = 0; i < sr_n_exits; i++) {
    printf("  %d  ", sr_exit_table[i].status);
    sr_text_wrap(stdout, sr_exit_table[i].meaning, 5, 5, WIDTH);
  }
}

static bool has_switch(const sr_command *command) {
  for (int i = 0; i < sr_n_options; i++)
    if ((sr_option_table[i].commands & command->bit) && sr_option_is_undone(&sr_option_table[i])) return true;
  return false;
}

static void print_command(const sr_command *command) {
  printf("Usage: seqring %s %s\n\n", command->name, command->synopsis);
  sr_text_wrap(stdout, command->description, 0, 0, WIDTH);
  puts("\nOptions:");
  for (int i = 0; i < sr_n_options; i++)
    if (sr_option_table[i].commands & command->bit) print_option(&sr_option_table[i]);
  if (has_switch(command)) puts("\nA switch is undone by --no-NAME.");
  if (command->example) printf("\nExample:\n  %s\n", command->example);
  print_exits();
}

static void print_program(void) {
  puts("Usage: seqring COMMAND ...\n");
  puts("Exact attention over sequences sharded over MPI ranks.\n\nCommands:");
  for (int i = 0; i < sr_n_commands; i++) printf("  %-9s  %s\n", sr_command_table[i].name, sr_command_table[i].summary);
  puts("\n'seqring help COMMAND' explains one; 'seqring help --man' prints the manual page.");
  print_exits();
}

int sr_command_help(const sr_arguments *arguments, const sr_settings *settings) {
  (void)arguments;
  const sr_command *command = settings->topic[0] ? sr_command_find(settings->topic) : NULL;
  bool speak = sr_launcher_rank() <= 0;
  if (settings->topic[0] && !command)
    return sr_parallel_refuse(sr_fail(SR_ERR_ARGUMENT, "no command '%.200s'; did you mean '%s'?", settings->topic,
                                      sr_command_nearest(settings->topic)));
  if (!speak) return 0;
  if (settings->man)
    sr_man_print();
  else if (command)
    print_command(command);
  else
    print_program();
  return 0;
}

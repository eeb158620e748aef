#include <jansson.h>
#include <seqring/version.h>
#include <stdio.h>

#include "commands.h"
#include "exits.h"
#include "job/provenance.h"
#include "launcher.h"
#include "version.h"

int sr_command_version(const sr_arguments *arguments, const sr_settings *settings) {
  (void)arguments, (void)settings;
  if (sr_launcher_rank() > 0) return 0;
  json_t *versions = sr_versions_json(), *value;
  const char *name, *isa = sr_isa_name();
  if (!versions) {
    fprintf(stderr, "seqring: no memory\n");
    return 1;
  }
  json_object_foreach(versions, name, value) printf("%-9s %s\n", name, json_string_value(value));
  printf("%-9s %s\n", "kernels", isa ? isa : sr_error_text());
  printf("%-9s %s\n", "licence", SR_LICENCE);
  json_decref(versions);
  return 0;
}

#include "commands.h"

#include <string.h>

#include "nearest.h"

const sr_command sr_command_table[] = {
    {"attend", SR_FOR_ATTEND, "IN.h5 -o OUT.h5 [OPTION]...", "compute exact attention from file to file",
     "Reads q, k and v from an HDF5 file, computes exact attention on all ranks of the job, and writes the output o "
     "and the log-sum-exp lse to another. Start it under mpirun or srun, or alone for one rank. The bits of o and lse "
     "are the same on any number of ranks and threads.",
     "mpirun -n 2 --bind-to none seqring attend in.h5 -o out.h5 --causal --verify 64", sr_command_attend},
    {"info", SR_FOR_INFO, "IN.h5 [OPTION]...", "show what is in an HDF5 file",
     "Lists the datasets of a group, and says whether attend would take the file and why not. For an output of seqring "
     "it says whether it is complete, and how it was made.",
     NULL, sr_command_info},
    {"import", SR_FOR_IMPORT, "SRC -o MODEL.h5 [OPTION]...", "make a model file of somebody else's model",
     "Reads a model in another program's format (GGUF, safetensors) and writes one HDF5 file with its weights, its "
     "description and its tokenizer. A tensor that is missing, of the wrong shape, or without a place is an error.",
     "seqring import SmolLM2-135M-Instruct.Q4_1.gguf -o smollm2.h5", sr_command_import},
    {"tokenize", SR_FOR_TOKENIZE, "--model MODEL.h5 FILE", "print the tokens of a text",
     "Prints the ids of a text's tokens, separated by blanks, as the model sees them.",
     "seqring tokenize --model smollm2.h5 book.txt", sr_command_tokenize},
    {"run", SR_FOR_RUN, "--model MODEL.h5 --text FILE -o OUT.h5 [OPTION]...", "read a long text with a model",
     "Runs a text through a model, every token seeing every token that it may see, on all ranks of the job: each rank "
     "keeps the activations of its tokens, and attention is computed as attend does it. The bits of the results are "
     "the same on any number of ranks and threads.",
     "mpirun -n 2 --bind-to none seqring run --model smollm2.h5 --text book.txt -o book.h5", sr_command_run},
    {"generate", SR_FOR_GENERATE, "--model MODEL.h5 --text FILE [OPTION]...", "go on after a long text with a model",
     "Reads a text with a decoder as run does it, and prints what the model goes on with, until it ends or there are "
     "enough tokens. Keys and values of all layers stay dealt to the ranks of the job; the queries of each new token "
     "travel to all of them. What is chosen is the same on any number of ranks and threads.",
     "mpirun -n 2 --bind-to none seqring generate --model smollm2.h5 --text book.txt --tokens 100",
     sr_command_generate},
    {"bench", SR_FOR_BENCH, "attention [OPTION]...", "measure attention beside what the machine can do",
     "Measures attention on random numbers for every combination of the lists that are given, a line each: seconds of "
     "a forward, useful operations a second, their share of two things that the same threads do in the same round "
     "(multiply-adds in registers; a matrix product of 2048 x 2048 x 2048 by OpenBLAS), and the largest error of o "
     "against float64. A share is the median of the rounds' shares. Of several ranks, which compute one attention, all "
     "do these two at once, and a forward takes as long as its slowest rank.",
     "seqring bench attention --seq 4k,64k --queries 1,all --dim 64,128 --threads 1,2", sr_command_bench},
    {"help", SR_FOR_HELP, "[COMMAND]", "explain the program or a command",
     "Explains the program, or one of its commands.", NULL, sr_command_help},
    {"version", SR_FOR_VERSION, "", "print versions of the program and of its libraries",
     "Prints the versions of the program and of its libraries, the instruction set of the kernels, and the licence.",
     NULL, sr_command_version},
};
const int sr_n_commands = (int)(sizeof sr_command_table / sizeof *sr_command_table);

const sr_command *sr_command_find(const char *name) {
  for (int i = 0; i < sr_n_commands; i++)
    if (!strcmp(name, sr_command_table[i].name)) return &sr_command_table[i];
  return NULL;
}

const char *sr_command_nearest(const char *name) {
  const char *best = "";
  int least = INT32_MAX;
  for (int i = 0; i < sr_n_commands; i++) {
    int distance = sr_word_distance(name, sr_command_table[i].name);
    if (distance < least) {
      least = distance;
      best = sr_command_table[i].name;
    }
  }
  return best;
}

#include <stddef.h>

#include "bench_output.h"

#define FIGURE(member) offsetof(sr_bench_line, member)

const sr_bench_key sr_bench_key_table[] = {
    {"seconds", FIGURE(seconds), false},   {"peak_gflops", FIGURE(peak), false}, {"gemm_gflops", FIGURE(gemm), false},
    {"waiting", FIGURE(waiting), false},   {"of_peak", FIGURE(of_peak), false},  {"of_gemm", FIGURE(of_gemm), false},
    {"read_gb_per_s", FIGURE(read), true}, {"of_read", FIGURE(of_read), true},
};
const int sr_n_bench_keys = (int)(sizeof sr_bench_key_table / sizeof *sr_bench_key_table);

#include "parts.h"

#include <math.h>

static double mean_of(const float *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)x[i];
  return sum / (double)n;
}

static double mean_square(const float *x, int64_t n, double around) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += ((double)x[i] - around) * ((double)x[i] - around);
  return sum / (double)n;
}

void sr_norm_rows(const sr_norm *norm, const float *from, int64_t n, float *to) {
  for (int64_t r = 0; r < n; r++, from += norm->width, to += norm->width) {
    const double mean = norm->kind == SR_NORM_LAYER ? mean_of(from, norm->width) : 0;
    const double factor = 1 / sqrt(mean_square(from, norm->width, mean) + norm->epsilon);
    for (int64_t i = 0; i < norm->width; i++) {
      const float x = (float)(((double)from[i] - mean) * factor) * norm->weight[i];
      to[i] = norm->bias ? x + norm->bias[i] : x;
    }
  }
}

static float relu(float x) {
  return x < 0 ? 0 : x; /* NaN stays */
}

static float gelu(float x) {
  return 0.5F * x * (1 + erff(x * (float)M_SQRT1_2));
}

static float gelu_tanh(float x) {
  return 0.5F * x * (1 + tanhf((float)(M_2_SQRTPI * M_SQRT1_2) * (x + 0.044715F * x * x * x)));
}

static float silu(float x) {
  return x / (1 + expf(-x));
}

void sr_activate(sr_activation activation, const float *gate, int64_t n, float *y) {
  static float (*const function[])(float) = {[SR_ACTIVATION_RELU] = relu,
                                             [SR_ACTIVATION_GELU] = gelu,
                                             [SR_ACTIVATION_GELU_TANH] = gelu_tanh,
                                             [SR_ACTIVATION_SILU] = silu};
  for (int64_t i = 0; i < n; i++) y[i] = gate ? function[activation](gate[i]) * y[i] : function[activation](y[i]);
}

void sr_rotary_angles(double position, double base, int64_t width, const float *factors, float *cosine, float *sine) {
  for (int64_t i = 0; i < width / 2; i++) {
    const double frequency = pow(base, -2 * (double)i / (double)width) / (factors ? (double)factors[i] : 1);
    cosine[i] = (float)cos(position * frequency);
    sine[i] = (float)sin(position * frequency);
  }
}

void sr_alibi_slopes(int64_t heads, double *slope) {
  int64_t whole = 1;
  while (2 * whole <= heads) whole *= 2;
  for (int64_t i = 0; i < heads; i++) {
    const double share =
        i < whole ? (double)(i + 1) / (double)whole : (double)(2 * (i - whole) + 1) / (double)(2 * whole);
    slope[i] = exp2(-8 * share);
  }
}

void sr_rotary_turn(sr_pairs pairs, int64_t width, const float *cosine, const float *sine, int64_t heads,
                    int64_t head_width, float *x) {
  const int64_t half = width / 2, step = pairs == SR_PAIRS_HALVES ? 1 : 2, apart = pairs == SR_PAIRS_HALVES ? half : 1;
  for (int64_t h = 0; h < heads; h++, x += head_width)
    for (int64_t i = 0; i < half; i++) {
      float *a = x + i * step, *b = a + apart;
      const float left = *a, right = *b;
      *a = left * cosine[i] - right * sine[i];
      *b = left * sine[i] + right * cosine[i];
    }
}

void sr_sinusoidal_add(int64_t position, int64_t width, float *x) {
  for (int64_t i = 0; i < width; i += 2) {
    const double angle = (double)position * pow(10000, -(double)i / (double)width);
    x[i] += (float)sin(angle);
    x[i + 1] += (float)cos(angle);
  }
}

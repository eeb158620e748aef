/* Elements as foreign model files store them: plain, or in blocks of small integers with a scale. Little-endian. */
#ifndef SR_MODEL_ELEMENT_H
#define SR_MODEL_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum sr_element {
  SR_ELEMENT_F32,
  SR_ELEMENT_F16,
  SR_ELEMENT_BF16,
  SR_ELEMENT_Q8_0, /* w = d q, q from -128 to 127 */
  SR_ELEMENT_Q4_0, /* w = d (q - 8), q from 0 to 15 */
  SR_ELEMENT_Q4_1, /* w = d q + m */
  SR_N_ELEMENTS
} sr_element;

/* Bytes of a row; false where a row cannot have that many elements. */
bool sr_element_row_bytes(sr_element element, int64_t width, uint64_t *bytes);

/* n elements, whole blocks of them, as float32. */
void sr_element_to_f32(sr_element element, int64_t n, const void *from, float *to);

#endif

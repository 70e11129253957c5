// Unicode normalisation forms. Source: UAX #15; the data is utf8proc's, restricted to the
// characters that Hugging Face's tokenizers composes, decomposes and reorders (Unicode 9).
#pragma once

#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

enum class NormalForm { kC, kD, kKC, kKD };

// Rewrites `text` in `form`. Takes time linear in its length, except for sorting runs of combining
// marks. Text that already has the form is scanned, not copied. For the marks, a run of characters
// that changes is one unit. REQUIRES: the text is UTF-8. Thread-safe.
void Normalize(NormalForm form, TrackedText* text);

}  // namespace mozgach

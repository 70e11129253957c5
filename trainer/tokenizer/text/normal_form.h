// Unicode normalisation forms.  Source: UAX #15; the data is utf8proc's, held to the characters
// that Hugging Face's tokenizers composes, decomposes and reorders (Unicode 9).
#pragma once

#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

enum class NormalForm { kC, kD, kKC, kKD };

// Rewrites `text` in `form`, in time linear in its length (up to sorting runs of combining marks);
// text that has the form already is only looked at.  A run of characters that changes counts, for
// the marks, as one.  REQUIRES: the text is UTF-8.  Safe from any thread.
void Normalize(NormalForm form, TrackedText* text);

}  // namespace mozgach

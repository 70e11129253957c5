// Unicode normalisation form C.  Source: UAX #15; the data is utf8proc's, held to the characters
// that Hugging Face's tokenizers composes and reorders (Unicode 9).
#pragma once

#include "trainer/tokenizer/tracked_text.h"

namespace mozgach {

// Composes `text` in place, in time linear in its length (up to sorting runs of combining marks);
// text that is NFC already is only looked at.  A run of characters that changes counts, for the
// marks, as one.  REQUIRES: the text is UTF-8.  Safe from any thread.
void ComposeNfc(TrackedText* text);

}  // namespace mozgach

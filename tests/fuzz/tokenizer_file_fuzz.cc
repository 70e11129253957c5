// Any bytes as tokenizer.json; a tokenizer that loads encodes and decodes a text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/tokenizer/tokenizer.h"

namespace {

const std::string kText =
    "Hello,  world!\n\tна\u0439\u0438\u0306 e\u0301 \u4F60\u597D \U0001F600 <s>ab</s> 12345 'll";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mozgach::TemporaryDirectory base;
  base.Write("tokenizer.json", std::string(reinterpret_cast<const char*>(data), size));
  const auto tokenizer = mozgach::Tokenizer::Load(base.path());
  if (!tokenizer.ok()) return 0;
  for (const auto special : {mozgach::SpecialTokens::kParse, mozgach::SpecialTokens::kAsText}) {
    std::vector<int32_t> ids;
    std::vector<int32_t> pieces;
    const std::vector<mozgach::Tokenizer::Piece> text = {{kText, special}, {"ab", special}};
    if (!(*tokenizer)->EncodePieces(text, &ids, &pieces).ok()) continue;
    if (ids.size() != pieces.size()) abort();
    for (const int32_t piece : pieces) {
      if (piece < 0 || piece > 1) abort();
    }
    for (const int32_t id : ids) {
      if (id < 0 || id >= (*tokenizer)->VocabularySize()) abort();
    }
    (*tokenizer)->Decode(ids, /*skip_special=*/true);
  }
  return 0;
}

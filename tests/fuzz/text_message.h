// What fuzz targets share that take messages as text.
#pragma once

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace mozgach {

// The target has found fault.
[[noreturn]] inline void Fail(const std::string& problem) {
  std::fprintf(stderr, "%s\n", problem.c_str());
  abort();
}

// False, and not a word, where `text` is none.
inline bool ParseText(const std::string& text, google::protobuf::Message* message) {
  class Quiet : public google::protobuf::io::ErrorCollector {
   public:
    void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  };
  google::protobuf::TextFormat::Parser parser;
  Quiet quiet;
  parser.RecordErrorsTo(&quiet);
  return parser.ParseFromString(text, message);
}

// `live.Take(first line, the rest)`, with another `Live` after so many inputs.
template <typename Live>
void Take(const uint8_t* data, size_t size, int inputs_of_one) {
  static std::unique_ptr<Live> live;
  static int inputs = 0;
  if (live == nullptr || ++inputs % inputs_of_one == 0) {
    live.reset();
    live = std::make_unique<Live>();
  }
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const size_t line = bytes.find('\n');
  if (line != std::string::npos) live->Take(bytes.substr(0, line), bytes.substr(line + 1));
}

}  // namespace mozgach

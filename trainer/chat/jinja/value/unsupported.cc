#include "trainer/chat/jinja/value/unsupported.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace mozgach::jinja {

absl::Status Unsupported(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what),
                   " is not supported: a built-in template can be named in the domain file, "
                   "`data.chat_template: chatml`"));
}

}  // namespace mozgach::jinja

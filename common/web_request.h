// The head of an HTTP request, as much of it as pages that are only read need.
#pragma once

#include <string>
#include <string_view>

namespace mozgach {

struct WebRequest {
  std::string method;
  std::string path;        // without the query
  std::string host;        // of the target where it names one, else of the header
  bool has_host = false;
};

// Where the head of `text` ends, behind its empty line; npos: it is not complete.
size_t EndOfHead(std::string_view text);

// Reads a complete head.  Returns 200, or the code of the answer that refuses it: 400 for what is
// not HTTP or has no single Host (HTTP/1.1), 505 for another version than 1.0 and 1.1.
int ReadHead(std::string_view head, WebRequest* request);

}  // namespace mozgach

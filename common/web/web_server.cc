#include "common/web/web_server.h"

#include <microhttpd.h>

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/terminal_text.h"
#include "common/utf8.h"
#include "common/web/web_hosts.h"
#include "common/web/web_listener.h"

namespace mozgach {
namespace {

constexpr unsigned kSilentSecondsMax = 5;
// Far below the descriptors that a process has (1024 by default).
constexpr unsigned kConnectionsMax = 512;
constexpr size_t kHeadBytesMax = 8192;
constexpr size_t kHostBytesShown = 100;
constexpr char kText[] = "text/plain; charset=utf-8";

MHD_Result Send(MHD_Connection* connection, const WebAnswer& answer) {
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;  // closes the connection
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  MHD_add_response_header(response, "Connection", "close");
  if (answer.code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, "Allow", "GET, HEAD");
  }
  const MHD_Result sent =
      MHD_queue_response(connection, static_cast<unsigned>(answer.code), response);
  MHD_destroy_response(response);
  return sent;
}

}  // namespace

class WebServer::Site {
 public:
  Site(const WebOptions& options, WebPages pages)
      : options_(options),
        hosts_(options.address, options.allowed_hosts),
        pages_(std::move(pages)) {}

  ~Site() {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Listen(FileDescriptor listener) {
    // The library closes the socket, also if it cannot start.
    const int socket = listener.Release();
    daemon_ = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &Site::Handle, this,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_TIMEOUT, kSilentSecondsMax,
        MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kHeadBytesMax, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (daemon_ != nullptr) return absl::OkStatus();
    return absl::InternalError("the thread of the web server does not start");
  }

 private:
  // Answers as soon as the head is there: a body is not read.
  static MHD_Result Handle(void* site, MHD_Connection* connection, const char* url,
                           const char* method, const char* version, const char* upload_data,
                           size_t* upload_bytes, void** state) {
    return Send(connection, static_cast<Site*>(site)->Answer(connection, url, method));
  }

  WebAnswer Answer(MHD_Connection* connection, std::string_view path,
                   std::string_view method) const {
    const char* host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    if (host != nullptr && !hosts_.Allows(host)) return RefuseHost(host);
    if (method != "GET" && method != "HEAD") {
      return {MHD_HTTP_METHOD_NOT_ALLOWED, kText, "These pages are only read: use GET or HEAD\n"};
    }
    return Page(std::string(path));
  }

  WebAnswer RefuseHost(std::string_view host) const {
    const std::string shown = EscapeLine(Abbreviate(host, kHostBytesShown));
    if (options_.refused != nullptr) options_.refused(shown);
    return {MHD_HTTP_MISDIRECTED_REQUEST, kText,
            absl::StrCat("This server is not called '", shown, "'. ", options_.how_to_allow, "\n")};
  }

  WebAnswer Page(const std::string& path) const {
    const auto page = pages_.find(path);
    if (page != pages_.end()) return page->second();
    std::string known;
    for (const auto& [name, unused] : pages_) absl::StrAppend(&known, " ", name);
    return {MHD_HTTP_NOT_FOUND, kText, absl::StrCat("This page does not exist; use", known, "\n")};
  }

  const WebOptions options_;
  const WebHosts hosts_;
  const WebPages pages_;
  MHD_Daemon* daemon_ = nullptr;
};

WebServer::WebServer() = default;
WebServer::~WebServer() = default;

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const WebOptions& options,
                                                            WebPages pages) {
  RETURN_IF_ERROR(CheckAllowedHosts(options.allowed_hosts));
  ASSIGN_OR_RETURN(FileDescriptor listener, ListenOn(options.address));
  std::unique_ptr<WebServer> server(new WebServer());
  server->address_ = AddressWithPort(options.address, listener.get());
  server->site_ = std::make_unique<Site>(options, std::move(pages));
  RETURN_IF_ERROR(server->site_->Listen(std::move(listener)));
  return server;
}

}  // namespace mozgach

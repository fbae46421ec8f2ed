#include "app/store/curl_session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr long kMaxRedirects = 20;
constexpr long kConnectTimeoutSeconds = 20;
constexpr long kStallSeconds = 30;
constexpr long kStallBytesPerSecond = 1024;

bool IsPrivateIpv4(uint32_t address) {
  const uint32_t first = address >> 24;
  const uint32_t first_two = address >> 16;
  return first == 0 || first == 10 || first == 127 || first_two == 0xa9fe || first_two == 0xc0a8 ||
         (first_two >= 0xac10 && first_two <= 0xac1f) || (first_two >= 0x6440 && first_two <= 0x647f);
}

bool IsPrivateAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return IsPrivateIpv4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return true;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    uint32_t v4;
    std::memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
    return IsPrivateIpv4(ntohl(v4));
  }
  return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
         (v6.s6_addr[0] & 0xfe) == 0xfc;
}

// Opens sockets to public addresses only: a redirect must not make this program talk to services inside somebody's
// network.
curl_socket_t OpenPublicSocket(void*, curlsocktype, curl_sockaddr* address) {
  if (IsPrivateAddress(&address->addr)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::string HostOf(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return "";
  }
  std::string result = host;
  curl_free(host);
  return result;
}

bool IsLoopbackName(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

// Whether the user's machine has a proxy for this: then the proxy's address, often a private one, is what sockets
// connect to.
bool HasProxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

}  // namespace

Result<CurlHandle> MakeCurlHandle(const std::string& url, const std::string& token) {
  const std::string host = HostOf(url);
  const bool is_https = url.rfind("https://", 0) == 0;
  const bool is_local = IsLoopbackName(host);
  if (host.empty() || (!is_https && !(url.rfind("http://", 0) == 0 && is_local))) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is not an https:// URL (http:// is accepted to this machine only)",
                             EscapeForMessage(url, 120)),
                 ""};
  }
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  CurlHandle handle(global == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) return Error{ErrorCode::kIo, "cannot start libcurl", ""};
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, is_local && !is_https ? "http,https" : "https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "rocmforge");
  if (!is_local && !HasProxy()) curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenPublicSocket);
  if (!token.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token.c_str());
  }
  return handle;
}

}  // namespace rf::app

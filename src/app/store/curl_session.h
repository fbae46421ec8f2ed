// One configured libcurl handle: what every request of this program allows and refuses.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace rf::app {

struct CurlCleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlCleanup>;

/// A handle for `url`: redirects followed (20 at most, never from https to http), private addresses refused unless the
/// URL itself names this machine, stalls cut after 30 s, the token sent to the first host only. `url` and `token` must
/// outlive the handle. Errors: kInvalidArgument for a URL of another kind; http:// is accepted for loopback hosts only.
Result<CurlHandle> MakeCurlHandle(const std::string& url, const std::string& token);

}  // namespace rf::app

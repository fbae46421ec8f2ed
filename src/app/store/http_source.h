// Models over HTTP: a resuming download of one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace rf::app {

struct HttpSource {
  std::string url;           ///< https://, or http:// to this machine itself
  std::string bearer_token;  ///< sent to the URL's own host only; empty: none
  std::string sha256;        ///< wanted digest, 64 hexadecimal digits; empty: not known
  std::string label;         ///< for progress lines
};

/// Downloads into `part_path` (resuming what an interrupted run left there) and renames it to `destination` when it is
/// whole and, if a digest is given, right. The ETag of the first answer is kept beside the part, so that parts of two
/// versions are never joined; a server that ignores ranges makes it start over. Cut connections are resumed a few
/// times. Refused: redirects from https to http, to other protocols, or from a public to a private address. Errors:
/// kInvalidArgument (URL), kNotFound (404), kIo.
Status PullOverHttp(const HttpSource& source, const std::filesystem::path& part_path,
                    const std::filesystem::path& destination);

/// The body of a small JSON answer (at most 4 MiB). Errors: kNotFound (404), kIo.
Result<std::string> FetchText(const std::string& url, const std::string& bearer_token);

}  // namespace rf::app

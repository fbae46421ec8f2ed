// SHA-256 of files and growing data (FIPS 180-4, by OpenSSL).
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

struct evp_md_ctx_st;

namespace rf::app {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Add(const void* data, size_t bytes);
  /// 64 lower-case hexadecimal digits. Call once.
  std::string Hex();

 private:
  evp_md_ctx_st* context_;
};

/// Digest of a file. Errors: kIo.
Result<std::string> Sha256OfFile(const std::filesystem::path& path);

}  // namespace rf::app

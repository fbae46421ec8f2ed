#include "app/store/sha256.h"

#include <openssl/evp.h>

#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"

namespace rf::app {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  RF_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
}

void Sha256::Add(const void* data, size_t bytes) {
  RF_CHECK(EVP_DigestUpdate(context_, data, bytes) == 1);
}

std::string Sha256::Hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  RF_CHECK(EVP_DigestFinal_ex(context_, digest, &size) == 1);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

Result<std::string> Sha256OfFile(const std::filesystem::path& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return Error{ErrorCode::kIo, "cannot open", path.string()};
  Sha256 sha;
  std::vector<char> chunk(1 << 20);
  while (const size_t n = std::fread(chunk.data(), 1, chunk.size(), file.get())) sha.Add(chunk.data(), n);
  if (std::ferror(file.get()) != 0) return Error{ErrorCode::kIo, "cannot read", path.string()};
  return sha.Hex();
}

}  // namespace rf::app

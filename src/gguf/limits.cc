#include "gguf/limits.h"

namespace rf {

std::vector<NamedLimit> DescribeLimits(const GgufLimits& limits) {
  return {
      {"gguf.string_bytes", limits.string_bytes, "bytes of one string in the metadata"},
      {"gguf.array_elements", limits.array_elements, "elements of one array in the metadata"},
      {"gguf.n_kv", limits.n_kv, "metadata keys of one file"},
      {"gguf.n_tensors", limits.n_tensors, "tensors of one file"},
      {"gguf.metadata_bytes", limits.metadata_bytes, "bytes of one file before its tensor data"},
      {"gguf.key_bytes", limits.key_bytes, "bytes of a metadata key"},
      {"gguf.tensor_name_bytes", limits.tensor_name_bytes, "bytes of a tensor's name"},
      {"gguf.alignment", limits.alignment, "general.alignment, a power of two"},
      {"gguf.n_dims", kGgufMaxDims, "dimensions of a tensor"},
      {"gguf.dim", limits.dim, "size of one dimension of a tensor"},
      {"gguf.array_depth", 1, "nesting of arrays"},
      {"gguf.split_files", limits.split_files, "files of a split model"},
  };
}

}  // namespace rf

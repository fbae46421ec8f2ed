// A device for tests of placement: it says how much memory it has, true or not, and gives none.
#pragma once

#include <memory>
#include <string_view>

#include "device/device.h"
#include "plan/test_util/idle_stream.h"

namespace rf::test {

inline constexpr uint64_t kMiB = 1 << 20;

// Packs the weights of products, to one and a half times their size, and reads others in place if it may.
class PackingDevice final : public Device {
 public:
  PackingDevice(const char* kind, uint64_t free_bytes) {
    properties_.kind = kind;
    properties_.free_bytes = free_bytes;
    properties_.is_host_memory = properties_.kind == "cpu";
    kernels_.embed.Set(Format::kF32, {[](void*, const Embed::Args&) {}, nullptr, "embed"});
    kernels_.matmul.Set(Format::kF32, {[](void*, const MatMul::Args&) {},
                                       [](const MatMul::Args&, int) { return size_t{kMiB}; }, "matmul"});
  }
  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Buffer>> Allocate(size_t, std::string_view) override {
    return Error{ErrorCode::kOutOfMemory, "nothing may be reserved to decide", ""};
  }
  Result<std::unique_ptr<Stream>> CreateStream() override { return std::unique_ptr<Stream>(new IdleStream); }
  LoadedWeight DescribeWeight(const WeightSource& source) const override {
    LoadedWeight described;
    described.view = {nullptr, source.format, kFileLayout, source.n_matrices, source.n_rows, source.n_cols};
    const auto file_bytes = static_cast<uint64_t>(source.n_rows * source.n_cols) * 4;
    if (source.used_by == OpId::kMatMul) {
      described.bytes_owned = file_bytes / 2 * 3;
    } else if (!source.may_reference) {
      described.bytes_owned = file_bytes;
    }
    return described;
  }
  Result<LoadedWeight> LoadWeight(const WeightSource&) override {
    return Error{ErrorCode::kOutOfMemory, "nothing may be loaded to decide", ""};
  }
  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight&, const WeightSource&) override {
    return Error{ErrorCode::kDevice, "nothing was loaded", ""};
  }

  DeviceProperties& properties() { return properties_; }
  KernelTable& kernels() { return kernels_; }

 private:
  DeviceProperties properties_;
  KernelTable kernels_;
};

}  // namespace rf::test

#include "hip/hip_device.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "hip/gpu_buffer.h"
#include "hip/gpu_runtime.h"
#include "hip/gpu_stream.h"
#include "hip/self_test.h"
#include "hip/uploader.h"

namespace rf::hip {
namespace {

class HipDevice final : public Device {
 public:
  HipDevice(std::shared_ptr<GpuRuntime> runtime, const GpuTraits& traits, std::string kind)
      : runtime_(std::move(runtime)), traits_(traits) {
    runtime_->api().fill_kernels(traits_, &kernels_);
    const GpuRuntime::Memory memory = runtime_->ReadMemory();
    properties_.name = traits_.name;
    properties_.kind = std::move(kind);
    properties_.isa = traits_.arch;
    properties_.memory_bytes = memory.total_bytes;
    properties_.free_bytes = memory.free_bytes;
    properties_.shares_host_memory = traits_.is_integrated != 0;
    properties_.wave_size = traits_.wave_size;
    properties_.n_processors = traits_.n_processors;
    properties_.shared_bytes = static_cast<uint64_t>(std::max(traits_.max_shared_bytes, 0));
    properties_.driver_version = traits_.driver_version;
    properties_.runtime_version = traits_.runtime_version;
    properties_.index = runtime_->device();
  }

  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view purpose) override {
    return AllocateGpuBuffer(runtime_, bytes, purpose);
  }
  Result<std::unique_ptr<Buffer>> AllocateOnHost(size_t bytes) override {
    RF_ASSIGN_OR_RETURN(auto buffer, StagingBuffer::Allocate(runtime_, bytes));
    return std::unique_ptr<Buffer>(std::move(buffer));
  }
  std::optional<uint64_t> BytesHadAtFailure() const override {
    if (runtime_->bytes_had() < 0) return std::nullopt;
    return static_cast<uint64_t>(runtime_->bytes_had());
  }
  Result<std::unique_ptr<Stream>> CreateStream() override { return CreateGpuStream(runtime_, traits_); }

  int64_t QueueMatrixProducts(Stream& stream, int32_t n_rounds) override {
    return runtime_->api().queue_matrix_products(stream.native(), n_rounds);
  }

  LoadedWeight DescribeWeight(const WeightSource& source) const override {
    LoadedWeight described;
    const WeightLayout layout = kernels_.WeightLayoutOf(static_cast<int>(source.used_by), source.format);
    described.view = {nullptr, source.format, layout, source.n_matrices, source.n_rows, source.n_cols};
    if (layout != kFileLayout) {
      described.bytes_owned = runtime_->api().planar_bytes(described.view);
      return described;
    }
    const int64_t row_bytes = RowBytes(GetFormatInfo(source.format), source.n_cols);
    described.bytes_owned = static_cast<uint64_t>(source.n_matrices * source.n_rows * row_bytes) + kReadableBeyond;
    return described;
  }

  Result<LoadedWeight> LoadWeight(const WeightSource& source) override {
    LoadedWeight loaded = DescribeWeight(source);
    RF_ASSIGN_OR_RETURN(loaded.storage, Allocate(loaded.bytes_owned, source.name));
    if (uploader_ == nullptr) {
      RF_ASSIGN_OR_RETURN(uploader_, Uploader::Create(runtime_, traits_));
    }
    loaded.view.data = loaded.storage->data();
    if (loaded.view.layout == kFileLayout) {
      RF_RETURN_IF_ERROR(uploader_->Upload(loaded.storage->data(), source.bytes));
    } else {
      RF_RETURN_IF_ERROR(uploader_->UploadRepacked(loaded.view, source.bytes));
    }
    return loaded;
  }

  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight& weight, const WeightSource& source) override {
    if (weight.view.layout == kFileLayout) return uploader_->FindDifference(weight.view.data, source.bytes);
    return uploader_->FindRepackedDifference(weight.view, source.bytes);
  }

 private:
  const std::shared_ptr<GpuRuntime> runtime_;
  const GpuTraits traits_;
  KernelTable kernels_;
  DeviceProperties properties_;
  std::unique_ptr<Uploader> uploader_;  // made for the first weight
};

// "gfx90a:sramecc+:xnack-" is gfx90a with settings that code may leave open.
std::string_view WithoutSettings(std::string_view arch) {
  return arch.substr(0, arch.find(':'));
}

struct GenericTarget {
  std::string_view name;
  std::string_view covers;  // separated by spaces
};

// Of LLVM's "User Guide for AMDGPU Backend", Generic Processors: those that the kernels are written for. gfx9-4-generic
// is not among them: kernels ask for gfx942 by name.
constexpr GenericTarget kGenericTargets[] = {
    {"gfx9-generic", "gfx900 gfx902 gfx904 gfx906 gfx909 gfx90c"},
    {"gfx10-3-generic", "gfx1030 gfx1031 gfx1032 gfx1033 gfx1034 gfx1035 gfx1036"},
    {"gfx11-generic", "gfx1100 gfx1101 gfx1102 gfx1103 gfx1150 gfx1151 gfx1152 gfx1153"},
    {"gfx12-generic", "gfx1200 gfx1201"},
};

// Calls is_it(word) for words between spaces until one is it.
template <typename IsIt>
bool AnyWord(std::string_view words, IsIt is_it) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (is_it(words.substr(0, end))) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// Whether code for `target` runs on `arch`; both without settings.
bool IsCodeFor(std::string_view target, std::string_view arch) {
  if (target == arch) return true;
  for (const GenericTarget& generic : kGenericTargets) {
    if (generic.name != target) continue;
    return AnyWord(generic.covers, [&](std::string_view covered) { return covered == arch; });
  }
  return false;
}

Status CheckTarget(const GpuApi& api, const GpuTraits& traits, const std::string& name) {
  const std::string_view arch = WithoutSettings(traits.arch);
  if (HasCodeFor(api.targets, arch)) return {};
  return Error{ErrorCode::kDevice,
               fmt::format("{} is a {}, this build has kernels for {} only: build the module for it too (docs/gpu.md)",
                           EscapeForMessage(traits.name), EscapeForMessage(arch), api.targets),
               name};
}

}  // namespace

bool HasCodeFor(const char* targets, std::string_view arch) {
  if (targets == nullptr) return true;
  return AnyWord(targets, [&](std::string_view target) { return IsCodeFor(WithoutSettings(target), arch); });
}

Result<std::unique_ptr<Device>> CreateHipDevice(const GpuApi& api, const std::string& kind, int32_t index) {
  auto runtime = std::make_shared<GpuRuntime>(api, index, fmt::format("{}:{}", kind, index));
  GpuTraits traits{};
  const int code = api.describe(index, &traits);
  if (code != 0) return runtime->Fail(code, "asking for the device's properties");
  RF_RETURN_IF_ERROR(CheckTarget(api, traits, runtime->name()));
  auto device = std::make_unique<HipDevice>(runtime, traits, kind);
  RF_RETURN_IF_ERROR(TestDevice(*device, runtime->name()));
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace rf::hip

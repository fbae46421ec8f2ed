#include "cpu/cpu_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/cpu_topology.h"
#include "base/log.h"
#include "cpu/cpu_context.h"
#include "cpu/host_memory.h"
#include "cpu/isa.h"
#include "cpu/pack.h"
#include "cpu/pack_layout.h"

namespace rf::cpu {
namespace {

constexpr int kMaxThreads = 1024;
constexpr size_t kAlignment = 256;
constexpr size_t kHugePage = size_t{2} << 20;

struct FreeMemory {
  void operator()(void* pointer) const { std::free(pointer); }
};

// Weights are read from one end to the other, and each page costs a walk through the page tables. Only advice, and not
// for a KV cache: of that the pages are touched here and there, and whole huge ones would be held.
void AdviseHugePages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) {
#if defined(MADV_HUGEPAGE)
  madvise(data, bytes, MADV_HUGEPAGE);
#endif
}

class HostBuffer final : public Buffer {
 public:
  static Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view purpose) {
    const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    std::unique_ptr<void, FreeMemory> data;
    if (bytes <= SIZE_MAX - alignment) {
      data.reset(std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment));
    }
    if (data == nullptr) {
      return Error{ErrorCode::kOutOfMemory, fmt::format("cannot allocate {} bytes for {}", bytes, purpose), "cpu"};
    }
    return std::unique_ptr<Buffer>(new HostBuffer(std::move(data), bytes));
  }

  void* data() override { return data_.get(); }
  size_t size() const override { return size_; }

 private:
  HostBuffer(std::unique_ptr<void, FreeMemory> data, size_t size) : data_(std::move(data)), size_(size) {}
  std::unique_ptr<void, FreeMemory> data_;
  size_t size_;
};

// Runs everything at once on the calling thread and its pool.
class HostStream final : public Stream {
 public:
  HostStream(ThreadPool* pool, int n_decode_threads) {
    context_.pool = pool;
    context_.n_decode_threads = n_decode_threads;
  }

  void* native() override { return &context_; }
  void SetWorkspace(Buffer* workspace) override {
    context_.workspace = workspace->data();
    context_.workspace_bytes = workspace->size();
  }
  Status CopyToDevice(void* dst, const void* src, size_t bytes) override { return Copy(dst, src, bytes); }
  Status CopyToHost(void* dst, const void* src, size_t bytes) override { return Copy(dst, src, bytes); }
  Status CopyOnDevice(void* dst, const void* src, size_t bytes) override { return Copy(dst, src, bytes); }
  Status Synchronize() override { return {}; }
  Status Mark() override {
    marks_.push_back(std::chrono::steady_clock::now());
    return {};
  }
  Result<std::vector<double>> TakeMarks() override {
    const auto marks = std::exchange(marks_, {});
    std::vector<double> seconds;
    for (size_t i = 1; i < marks.size(); ++i) {
      seconds.push_back(std::chrono::duration<double>(marks[i] - marks[i - 1]).count());
    }
    return seconds;
  }

 private:
  static Status Copy(void* dst, const void* src, size_t bytes) {
    std::memcpy(dst, src, bytes);
    return {};
  }

  CpuContext context_;
  std::vector<std::chrono::steady_clock::time_point> marks_;
};

std::string CpuModelName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

std::vector<ThreadPlace> PlacesFor(const CpuDeviceOptions& options) {
  const CpuTopology topology = options.topology ? *options.topology : ReadCpuTopology();
  const int n_threads = options.n_threads == 0 ? CountThreadsFor(topology) : options.n_threads;
  return PlaceThreads(topology, std::min(n_threads, kMaxThreads), options.pins_threads);
}

// Whether kernels may read the weight where it lies: a file's own alignment can be less than that of its F32 elements.
bool IsAligned(const WeightSource& source) {
  const FormatInfo& info = GetFormatInfo(source.format);
  if (info.block_elements > 1) return true;  // blocks have no alignment
  return reinterpret_cast<uintptr_t>(source.bytes.data()) % static_cast<uintptr_t>(info.block_bytes) == 0;
}

class CpuDevice final : public Device {
 public:
  CpuDevice(const Isa& isa, const CpuDeviceOptions& options, const std::vector<ThreadPlace>& places)
      : pool_(places.data(), static_cast<int>(places.size())),
        n_decode_threads_(options.n_decode_threads),
        packs_weights_(options.packs_weights),
        multiply_(isa.multiply) {
    isa.fill(kernels_);
    if (options.precision == Precision::kBFloat16 && !isa.fill_bfloat16(kernels_)) {
      Log(LogLevel::kWarning,
          fmt::format("--activations bf16 has no effect: it needs AMX, and {} is in use", isa.name));
    }
    const HostMemory memory = ReadHostMemory();
    properties_ = {CpuModelName(),         "cpu", std::string(isa.name), pool_.n_threads(), memory.total_bytes,
                   memory.available_bytes, true};
  }

  const DeviceProperties& properties() const override { return properties_; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view purpose) override {
    return HostBuffer::Allocate(bytes, purpose);
  }
  Result<std::unique_ptr<Stream>> CreateStream() override {
    return std::unique_ptr<Stream>(new HostStream(&pool_, n_decode_threads_));
  }

  LoadedWeight DescribeWeight(const WeightSource& source) const override {
    LoadedWeight described;
    described.view = {nullptr, source.format, LayoutFor(source), source.n_matrices, source.n_rows, source.n_cols};
    if (described.view.layout == kPanelLayout) {
      described.bytes_owned = PackedBytes(ShapeOf(source));
    } else if (!source.may_reference) {
      described.bytes_owned = static_cast<uint64_t>(source.n_matrices * source.n_rows *
                                                    RowBytes(GetFormatInfo(source.format), source.n_cols));
    }
    return described;
  }

  Result<LoadedWeight> LoadWeight(const WeightSource& source) override {
    LoadedWeight loaded = DescribeWeight(source);
    loaded.view.data = source.bytes.data();
    if (loaded.bytes_owned == 0 && IsAligned(source)) return loaded;
    if (loaded.bytes_owned == 0) loaded.bytes_owned = source.bytes.size();
    RF_ASSIGN_OR_RETURN(loaded.storage, Allocate(loaded.bytes_owned, source.name));
    loaded.view.data = loaded.storage->data();
    if (loaded.bytes_owned >= kHugePage) AdviseHugePages(loaded.storage->data(), loaded.bytes_owned);
    Fill(*loaded.storage, loaded.view.layout, source);
    return loaded;
  }

  Result<std::optional<uint64_t>> FindDamage(const LoadedWeight& weight, const WeightSource& source) override {
    if (weight.storage == nullptr) return std::nullopt;  // it is the source
    RF_ASSIGN_OR_RETURN(const auto again, Allocate(weight.bytes_owned, "checking weights"));
    Fill(*again, weight.view.layout, source);
    const auto bytes_of = [&](Buffer& buffer) {
      return std::span(static_cast<const std::byte*>(buffer.data()), weight.bytes_owned);
    };
    const auto held = bytes_of(*weight.storage);
    const auto different = std::mismatch(held.begin(), held.end(), bytes_of(*again).begin()).first;
    if (different == held.end()) return std::nullopt;
    return static_cast<uint64_t>(different - held.begin());
  }

  int64_t QueueMatrixProducts(Stream&, int32_t n_rounds) override {
    if (multiply_ == nullptr) return 0;
    struct Job {
      MultiplyForPeak multiply;
      std::atomic<int64_t> operations{0};
    } job{multiply_};
    const auto multiply = [](void* context, int64_t, int) {
      Job& shared = *static_cast<Job*>(context);
      alignas(64) int32_t results[kPeakResults];
      shared.operations.fetch_add(shared.multiply(results), std::memory_order_relaxed);
    };
    pool_.Run(int64_t{n_rounds} * pool_.n_threads(), multiply, &job);
    return job.operations;
  }

 private:
  void Fill(Buffer& storage, WeightLayout layout, const WeightSource& source) {
    if (layout == kPanelLayout) {
      PackPanels(ShapeOf(source), source.bytes.data(), storage.data(), pool_);
    } else {
      std::memcpy(storage.data(), source.bytes.data(), source.bytes.size());
    }
  }

  static PackShape ShapeOf(const WeightSource& source) {
    return {source.format, source.n_matrices, source.n_rows, source.n_cols};
  }

  // What the op's kernel wants, where the shape has it and packing is allowed. Weights of one row stay as they are: a
  // product's bias comes this way too, and it is read so.
  WeightLayout LayoutFor(const WeightSource& source) const {
    const WeightLayout wanted = kernels_.WeightLayoutOf(static_cast<int>(source.used_by), source.format);
    const bool has_panels = packs_weights_ && source.n_rows > 1 && HasPanelLayout(ShapeOf(source));
    return wanted == kPanelLayout && !has_panels ? kFileLayout : wanted;
  }

  ThreadPool pool_;
  int n_decode_threads_;
  bool packs_weights_;
  MultiplyForPeak multiply_;
  KernelTable kernels_;
  DeviceProperties properties_;
};

}  // namespace

Result<std::unique_ptr<Device>> CreateCpuDevice(const CpuDeviceOptions& options) {
  if (options.n_threads < 0 || options.n_threads > kMaxThreads) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--threads must be 1 to {}, is {}", kMaxThreads, options.n_threads), ""};
  }
  if (options.n_decode_threads < 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--decode-threads must be at least 1, is {}", options.n_decode_threads), ""};
  }
  RF_ASSIGN_OR_RETURN(const Isa* isa, SelectIsa(options.isa));
  return std::unique_ptr<Device>(new CpuDevice(*isa, options, PlacesFor(options)));
}

}  // namespace rf::cpu

// The narrow interface between the plan and whatever computes. No implementation lives here: cpu/ and hip/ are leaves
// that only app/ names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/kernel_table.h"
#include "ops/op_list.h"

namespace rf {

struct DeviceProperties {
  std::string name;                 ///< for people: "AMD EPYC 7763" or "AMD Radeon RX 7900 XTX"
  std::string kind;                 ///< "cpu" or "hip": what --device takes
  std::string isa;                  ///< instruction set in use: "avx2", "gfx1100"
  int n_threads = 0;                ///< CPU threads in the pool; 0 for GPUs
  uint64_t memory_bytes = 0;        ///< total memory of the device
  uint64_t free_bytes = 0;          ///< what can still be allocated, as far as is known
  bool is_host_memory = false;      ///< device pointers can be read and written by the host
  bool shares_host_memory = false;  ///< a GPU whose memory is the host's: what it holds is not free for the CPU
  /// Of GPUs; zeros and empty strings elsewhere, or where the runtime does not say.
  int wave_size = 0;            ///< lanes of a wave
  int n_processors = 0;         ///< compute units
  uint64_t shared_bytes = 0;    ///< shared memory (LDS) that a block may have
  std::string driver_version;   ///< "6.4.43484"
  std::string runtime_version;  ///< the same of the GPU's runtime in this process
  int index = -1;               ///< n of "--device kind:n"; -1: the kind has one device only

  /// As --device names it: "cpu", "hip:1".
  std::string Label() const { return index < 0 ? kind : kind + ":" + std::to_string(index); }
};

/// Device memory, freed with the object. Contents start undefined.
class Buffer {
 public:
  virtual ~Buffer() = default;
  /// Device address, aligned to 256 bytes at least.
  virtual void* data() = 0;
  virtual size_t size() const = 0;
};

/// Work that a stream recorded: kernels with the arguments and copies with the addresses of then.
class Recording {
 public:
  virtual ~Recording() = default;
};

/// An ordered queue of work. Calls on one stream come from one thread at a time. A kernel's failure shows at
/// Synchronize().
class Stream {
 public:
  virtual ~Stream() = default;
  /// What kernels receive as their first argument.
  virtual void* native() = 0;
  /// Memory for kernels' workspaces, at least as large as any launch's workspace_bytes(); owned by the caller.
  virtual void SetWorkspace(Buffer* workspace) = 0;
  /// Asynchronous copies; host memory must stay valid until Synchronize(). Pointers may be anywhere inside a Buffer.
  virtual Status CopyToDevice(void* device_dst, const void* host_src, size_t bytes) = 0;
  virtual Status CopyToHost(void* host_dst, const void* device_src, size_t bytes) = 0;
  virtual Status CopyOnDevice(void* dst, const void* src, size_t bytes) = 0;
  /// Waits for everything queued. Errors: kDevice.
  virtual Status Synchronize() = 0;

  /// Calls `queue`, and keeps the kernels and copies on the device that it queues on this stream instead of running
  /// them. Null: this kind of stream records nothing, and `queue` was not called. Errors: kDevice; the stream can be
  /// used as before.
  virtual Result<std::unique_ptr<Recording>> Record(const std::function<void()>& queue) {
    static_cast<void>(queue);
    return std::unique_ptr<Recording>();
  }
  /// Queues the work of a recording that this stream made, as one. A failure shows at Synchronize(), as a kernel's
  /// does.
  virtual void Replay(Recording& recording) { static_cast<void>(recording); }

  /// For measurements: notes the moment at which what was queued before has ended. Errors: kDevice.
  virtual Status Mark() = 0;
  /// Seconds from each mark to the next, and forgets them. REQUIRES: Synchronize() since the last one. Errors: kDevice.
  virtual Result<std::vector<double>> TakeMarks() = 0;
};

/// A weight as the file holds it, to be brought to a device.
struct WeightSource {
  std::string_view name;  ///< tensor name, for messages
  Format format = Format::kF32;
  int64_t n_matrices = 1;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
  std::span<const std::byte> bytes;  ///< GGUF layout, n_matrices * n_rows * RowBytes(n_cols)
  OpId used_by = OpId::kMatMul;      ///< the op that reads it: a device may pack for it
  bool may_reference = false;  ///< bytes outlive the device's use, so host-memory devices may keep pointing at them
};

/// A weight on a device. `view` stays valid as long as this object lives (and the source, if bytes_owned is 0).
struct LoadedWeight {
  WeightView view;
  std::unique_ptr<Buffer> storage;  ///< null if the view points into the source
  uint64_t bytes_owned = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceProperties& properties() const = 0;
  virtual const KernelTable& kernels() const = 0;
  /// Errors: kOutOfMemory with the numbers; `purpose` goes into the message ("KV cache").
  virtual Result<std::unique_ptr<Buffer>> Allocate(size_t bytes, std::string_view purpose) = 0;
  /// Host memory for what is copied from the device: such that copies reach it directly, where there is such; ordinary
  /// memory otherwise. Null: any memory of the host is as good. Errors: kOutOfMemory.
  virtual Result<std::unique_ptr<Buffer>> AllocateOnHost(size_t bytes) {
    static_cast<void>(bytes);
    return std::unique_ptr<Buffer>();
  }
  /// Bytes that were allocated when an allocation last failed: so many are to be had, whatever
  /// DeviceProperties::free_bytes said. Nothing: none has failed, or the device does not count.
  virtual std::optional<uint64_t> BytesHadAtFailure() const { return std::nullopt; }
  virtual Result<std::unique_ptr<Stream>> CreateStream() = 0;
  /// What LoadWeight would give, but for the data: layout and bytes_owned are right, the view's data and storage are
  /// null. `source.bytes` is not looked at. For plans that are only looked at.
  virtual LoadedWeight DescribeWeight(const WeightSource& source) const = 0;
  /// Copies, packs or references a weight for the op that uses it: in the layout that the op's kernel names
  /// (KernelEntry::weight_layout) where the shape allows it. Copies are complete when it returns: the source's bytes
  /// may be gone after. Errors: kUnsupported for a format that the op's slot lacks, kOutOfMemory.
  virtual Result<LoadedWeight> LoadWeight(const WeightSource& source) = 0;
  /// The first byte, counted in its layout, in which what the device's memory holds differs from what LoadWeight makes
  /// of the source; nothing if all are right. `weight` came from this device. Errors: kDevice, kOutOfMemory.
  virtual Result<std::optional<uint64_t>> FindDamage(const LoadedWeight& weight, const WeightSource& source) = 0;

  /// For measurements: queues products (GPUs: of halves) by its matrix instructions, in registers alone, that
  /// keep all of it busy for `n_rounds` rounds. Returns how many operations that is, a multiplication and an addition
  /// counting as two; 0 and nothing queued: there is no way to do so. The stream must have a workspace.
  virtual int64_t QueueMatrixProducts(Stream& stream, int32_t n_rounds) {
    static_cast<void>(stream);
    static_cast<void>(n_rounds);
    return 0;
  }
};

}  // namespace rf

// A GPU runtime over the host's heap, for tests of everything above GpuApi: it can fail any call, and it watches how it
// is used.
//
// What is queued on a stream runs at synchronization, as late as a real device may do it: who frees or changes memory
// too early is found out. Device memory starts as 0xff bytes. The kernels are the ops' references.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hip/gpu_api.h"

namespace rf::hip {

/// There is one at a time; its table of functions is what a device under test gets. For one thread.
class Shim {
 public:
  Shim();
  ~Shim();
  Shim(const Shim&) = delete;
  Shim& operator=(const Shim&) = delete;

  const GpuApi& api() const { return table_; }
  GpuApi& table() { return table_; }

  // What the pretended machine has.
  int32_t n_devices = 1;
  std::string name = "Shim GPU";
  std::string arch = "gfx1100";
  std::string last_arch;                      ///< of the last device; empty: as the others
  uint64_t capacity = uint64_t{1} << 30;      ///< device memory that can really be allocated
  uint64_t claimed_free = uint64_t{1} << 30;  ///< what memory() says, true or not
  uint64_t claimed_total = uint64_t{2} << 30;
  bool is_integrated = false;
  bool has_kernels = true;
  std::string wrong_op;  ///< name of an op one element of whose results is wrong; not kv_store
  float wrong_by = 1.0f;

  // Faults: calls that can fail, kernel launches among them, are numbered from 0.
  int fail_at = -1;    ///< number of the first call that fails; -1: none
  int n_failures = 1;  ///< how many fail from then on
  int code = 719;      ///< what they return
  bool fails_pinned = false;
  bool forbids_memory = false;  ///< memory that is allocated or released is a violation: a step must do neither
  int delay_at = -1;            ///< number of the call that takes `delay` longer; -1: none
  std::chrono::milliseconds delay{0};
  /// Of the bytes copied to the device, the one that arrives with a wrong bit.
  uint64_t flips_byte = std::numeric_limits<uint64_t>::max();

  /// The call that is `n` calls away fails.
  void FailIn(int n, int with_code) {
    fail_at = n_calls + n;
    code = with_code;
  }

  // What was seen.
  int n_calls = 0;
  uint64_t n_copied_to_device = 0;      ///< bytes
  std::vector<std::string> violations;  ///< a default stream, memory that is not there or goes too early

  /// Allocations, streams, recordings and events that were not given back.
  size_t n_live() const {
    return device_memory_.size() + pinned_memory_.size() + streams_.size() + recordings_.size() + events_.size();
  }
  uint64_t live_bytes() const;

  // For the table's functions.
  int Count();
  int Allocate(size_t bytes, void** pointer);
  int AllocatePinned(size_t bytes, void** pointer);
  void Release(void* pointer, std::map<void*, size_t>& memory);
  void CreateStream(void** stream);
  void DestroyStream(void* stream);
  int Copy(void* destination, const void* source, size_t bytes, GpuCopy kind, void* stream);
  int Synchronize(void* stream);
  int BeginRecording(void* stream);
  int EndRecording(void* stream, void** recording);
  int Replay(void* recording, void* stream);
  void ReleaseRecording(void* recording);
  int CreateEvent(void** event);
  void DestroyEvent(void* event);
  int RecordEvent(void* event, void* stream);
  int Elapsed(void* from, void* to, double* seconds);
  void Launch(GpuContext& context, std::function<void()> kernel);
  std::map<void*, size_t>& device_memory() { return device_memory_; }
  std::map<void*, size_t>& pinned_memory() { return pinned_memory_; }

 private:
  using Work = std::vector<std::function<void()>>;
  struct Queue {
    Work work;
    Work* recording = nullptr;  // takes what is queued, while there is one
    void Add(std::function<void()> item) { (recording != nullptr ? *recording : work).push_back(std::move(item)); }
  };
  void NoteMemory(const char* what);
  bool IsOnDevice(const void* pointer, size_t bytes) const;
  Queue* Find(void* stream);
  /// Deletes one of `all`; the violation is seen if it is none of them.
  template <typename T>
  void Delete(std::set<T*>& all, void* handle, const char* violation);

  GpuApi table_;
  std::map<void*, size_t> device_memory_;
  std::map<void*, size_t> pinned_memory_;
  std::set<Queue*> streams_;
  std::set<Work*> recordings_;
  std::set<int64_t*> events_;  // each the number of what ran before it; -1: it has not come
  int64_t n_items_run_ = 0;    // the pretended machine's clock: everything takes a second
};

}  // namespace rf::hip

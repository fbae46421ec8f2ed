// A stream that does nothing, for tests of what never runs.
#pragma once

#include <vector>

#include "device/device.h"

namespace rf::test {

class IdleStream : public Stream {
 public:
  void* native() override { return nullptr; }
  void SetWorkspace(Buffer*) override {}
  Status CopyToDevice(void*, const void*, size_t) override { return {}; }
  Status CopyToHost(void*, const void*, size_t) override { return {}; }
  Status CopyOnDevice(void*, const void*, size_t) override { return {}; }
  Status Synchronize() override { return {}; }
  Status Mark() override { return {}; }
  Result<std::vector<double>> TakeMarks() override { return std::vector<double>(); }
};

}  // namespace rf::test

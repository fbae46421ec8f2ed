#include "hip/self_test.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rf::hip {
namespace {

constexpr int64_t kSumElements = 256;
constexpr int64_t kTokens = 3;
constexpr int64_t kInputs = 256;
constexpr int64_t kOutputs = 64;
constexpr Format kWeightFormat = Format::kQ8_0;
constexpr double kMaxProductNmse = 5e-4;   // of products with activations in 8 bits (ops/matmul.h)
constexpr double kMaxElementError = 1e-3;  // squared, in mean squares of the product: seven of its standard deviations

// The same numbers in [-1, 1) each time.
std::vector<float> Numbers(int64_t n, uint32_t seed) {
  std::vector<float> numbers(static_cast<size_t>(n));
  for (float& number : numbers) {
    seed = seed * 1664525u + 1013904223u;
    number = static_cast<float>(static_cast<int32_t>(seed >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
  }
  return numbers;
}

TensorView HostView(std::vector<float>& values, int64_t n_cols) {
  return {values.data(), Format::kF32, static_cast<int64_t>(values.size()) / n_cols, n_cols, n_cols};
}

class DeviceTest {
 public:
  DeviceTest(Device& device, const std::string& name) : device_(device), name_(name) {}

  Status Run() {
    RF_ASSIGN_OR_RETURN(stream_, device_.CreateStream());
    RF_RETURN_IF_ERROR(TestSum());
    return TestProduct();
  }

 private:
  Status TestSum() {
    std::vector<float> a = Numbers(kSumElements, 1);
    std::vector<float> b = Numbers(kSumElements, 2);
    std::vector<float> wanted(a.size());
    Add::Reference({HostView(a, kSumElements), HostView(b, kSumElements), HostView(wanted, kSumElements)});
    std::vector<float> got(wanted.size());
    Add::Args args;
    RF_ASSIGN_OR_RETURN(args.a, Place(a, kSumElements));
    RF_ASSIGN_OR_RETURN(args.b, Place(b, kSumElements));
    RF_ASSIGN_OR_RETURN(args.y, Place(got, kSumElements));
    RF_RETURN_IF_ERROR(Launch<Add>(args, "add"));
    RF_RETURN_IF_ERROR(Fetch(args.y, got));
    return got == wanted ? Status() : Wrong("adds wrongly");
  }

  Status TestProduct() {
    std::vector<float> x = Numbers(kTokens * kInputs, 3);
    const std::vector<std::byte> packed = PackedWeight();
    std::vector<float> wanted(static_cast<size_t>(kTokens * kOutputs));
    MatMul::Args args{HostView(x, kInputs), {}, {}, 1};
    args.parts[0].weight = {packed.data(), kWeightFormat, kFileLayout, 1, kOutputs, kInputs};
    args.parts[0].y = HostView(wanted, kOutputs);
    MatMul::Reference(args);

    WeightSource source{"the self-test", kWeightFormat, 1, kOutputs, kInputs, packed, OpId::kMatMul, false};
    RF_ASSIGN_OR_RETURN(weight_, device_.LoadWeight(source));
    std::vector<float> got(wanted.size());
    args.parts[0].weight = weight_.view;
    RF_ASSIGN_OR_RETURN(args.x, Place(x, kInputs));
    RF_ASSIGN_OR_RETURN(args.parts[0].y, Place(got, kOutputs));
    RF_RETURN_IF_ERROR(Launch<MatMul>(args, "matmul"));
    RF_RETURN_IF_ERROR(Fetch(args.parts[0].y, got));
    return IsNear(got, wanted) ? Status() : Wrong("multiplies matrices wrongly");
  }

  static std::vector<std::byte> PackedWeight() {
    const FormatInfo& info = GetFormatInfo(kWeightFormat);
    const std::vector<float> values = Numbers(kOutputs * kInputs, 4);
    std::vector<std::byte> packed(static_cast<size_t>(RowBytes(info, kOutputs * kInputs)));
    info.pack(values.data(), kOutputs * kInputs, packed.data());
    return packed;
  }

  // Not a number is not near.
  static bool IsNear(const std::vector<float>& got, const std::vector<float>& wanted) {
    double error = 0.0;
    double largest = 0.0;
    double signal = 0.0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const double difference = static_cast<double>(got[i]) - wanted[i];
      error += difference * difference;
      largest = std::max(largest, difference * difference);
      signal += static_cast<double>(wanted[i]) * wanted[i];
    }
    const double mean_square = signal / static_cast<double>(wanted.size());
    return error <= kMaxProductNmse * signal && largest <= kMaxElementError * mean_square;
  }

  // `values` on the device.
  Result<TensorView> Place(const std::vector<float>& values, int64_t n_cols) {
    std::vector<float>& source = sources_.emplace_back(values);
    const size_t bytes = values.size() * sizeof(float);
    RF_ASSIGN_OR_RETURN(auto buffer, device_.Allocate(bytes, "the self-test"));
    TensorView view = HostView(source, n_cols);
    view.data = buffer->data();
    buffers_.push_back(std::move(buffer));
    RF_RETURN_IF_ERROR(stream_->CopyToDevice(view.data, source.data(), bytes));
    return view;
  }

  template <typename Op>
  Status Launch(const typename Op::Args& args, const char* op) {
    const KernelEntry<Op>& entry = device_.kernels().SlotOf<Op>().Get(Op::Key(args));
    if (entry.launch == nullptr) {
      return Wrong(fmt::format("has no kernel for {} with {}", op, GetFormatInfo(Op::Key(args)).name));
    }
    const size_t workspace = entry.workspace_bytes == nullptr ? 0 : entry.workspace_bytes(args, 0);
    if (workspace > 0) {
      RF_ASSIGN_OR_RETURN(auto buffer, device_.Allocate(workspace, "the self-test"));
      stream_->SetWorkspace(buffer.get());
      buffers_.push_back(std::move(buffer));
    }
    entry.launch(stream_->native(), args);
    return {};
  }

  Status Fetch(const TensorView& view, std::vector<float>& values) {
    RF_RETURN_IF_ERROR(stream_->CopyToHost(values.data(), view.data, values.size() * sizeof(float)));
    return stream_->Synchronize();
  }

  Error Wrong(const std::string& what) const {
    return Error{ErrorCode::kDevice,
                 fmt::format("'{}' ({}) {} and is not used: its driver, runtime or module is broken",
                             device_.properties().name, device_.properties().isa, what),
                 name_};
  }

  Device& device_;
  const std::string& name_;
  std::deque<std::vector<float>> sources_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  LoadedWeight weight_;
  std::unique_ptr<Stream> stream_;  // goes before what its copies and kernels use
};

}  // namespace

Status TestDevice(Device& device, const std::string& name) {
  return DeviceTest(device, name).Run();
}

}  // namespace rf::hip

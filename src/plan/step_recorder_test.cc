#include "plan/step_recorder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/test_util/idle_stream.h"

namespace rf {
namespace {

// Writes down what it is asked for: "r" recorded, "p" replayed; calls of `queue` are the test's to write.
class WritingStream final : public test::IdleStream {
 public:
  struct Kept final : Recording {
    explicit Kept(int n) : number(n) {}
    int number;
  };

  Result<std::unique_ptr<Recording>> Record(const std::function<void()>& queue) override {
    if (fails) return Error{ErrorCode::kDevice, "no memory for graphs", "hip:0"};
    if (!records) return std::unique_ptr<Recording>();
    queue();
    seen += "r";
    return std::unique_ptr<Recording>(new Kept(n_recorded++));
  }
  void Replay(Recording& recording) override { seen += "p" + std::to_string(static_cast<Kept&>(recording).number); }

  bool records = true;
  bool fails = false;
  int n_recorded = 0;
  std::string seen;
};

BatchView Decode(int32_t n_sequences, int32_t stride = 1) {
  BatchView batch;
  batch.n_tokens = batch.n_sequences = batch.n_outputs = n_sequences;
  batch.page_table_stride = stride;
  return batch;
}

std::string QueueAll(WritingStream& stream, const std::vector<BatchView>& batches) {
  StepRecorder recorder;
  for (const BatchView& batch : batches) recorder.Queue(stream, batch, [&] { stream.seen += "q"; });
  return stream.seen;
}

TEST(StepRecorder, TheSecondTimeIsRecordedAndTheThirdReplayed) {
  WritingStream stream;
  EXPECT_EQ(QueueAll(stream, {Decode(1), Decode(1), Decode(1)}), "qqrp0p0");
}

TEST(StepRecorder, EachShapeHasItsOwn) {
  WritingStream stream;
  EXPECT_EQ(QueueAll(stream, {Decode(1), Decode(2), Decode(1), Decode(2), Decode(1), Decode(1, 2)}), "qqqrp0qrp1p0q");
}

TEST(StepRecorder, OtherArraysAreAnotherShape) {
  WritingStream stream;
  const int32_t ids[1] = {};
  BatchView elsewhere = Decode(1);
  elsewhere.token_ids = ids;
  EXPECT_EQ(QueueAll(stream, {Decode(1), elsewhere, Decode(1)}), "qqqrp0");
}

TEST(StepRecorder, PromptsAreNotRecorded) {
  WritingStream stream;
  BatchView prompt = Decode(1);
  prompt.n_tokens = 7;
  EXPECT_EQ(QueueAll(stream, {prompt, prompt, prompt}), "qqq");
}

TEST(StepRecorder, WithoutRecordingAllIsQueued) {
  WritingStream stream;
  stream.records = false;
  EXPECT_EQ(QueueAll(stream, {Decode(1), Decode(1), Decode(1)}), "qqq");
}

TEST(StepRecorder, AFailureIsTriedOnce) {
  WritingStream stream;
  stream.fails = true;
  EXPECT_EQ(QueueAll(stream, {Decode(1), Decode(1)}), "qq");
  stream.fails = false;
}

TEST(StepRecorder, TheLongestUnusedIsForgotten) {
  WritingStream stream;
  StepRecorder recorder;
  const auto use = [&](int32_t n) { recorder.Queue(stream, Decode(n), [&] { stream.seen += "q"; }); };
  const auto n_shapes = static_cast<int32_t>(StepRecorder::kMaxRecordings);
  for (int32_t n = 1; n <= n_shapes; ++n) use(n);
  use(1);
  use(n_shapes + 1);  // 2 goes
  stream.seen.clear();
  use(2);  // 3 goes
  use(1);
  use(4);
  EXPECT_EQ(stream.seen, "qp0qrp1");
}

}  // namespace
}  // namespace rf

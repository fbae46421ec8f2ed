// The channel and the board between two processes, which here are one.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "server/supervisor/board.h"
#include "server/supervisor/channel.h"
#include "server/supervisor/watched_runner.h"

namespace rf::server {
namespace {

class Channel : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(MakeSocketPair(SOCK_SEQPACKET, ends_)); }
  void TearDown() override {
    for (const int end : ends_) close(end);
  }
  int ends_[2];
};

TEST_F(Channel, CarriesErrorsAndConnections) {
  EXPECT_FALSE(ReceiveMessage(ends_[1]).value());
  const Error error{ErrorCode::kDevice, std::string(2000, 'x'), "hip:0"};
  ASSERT_TRUE(SendMessage(ends_[0], ChannelMessage::Of(MessageKind::kLost, error)));
  auto message = ReceiveMessage(ends_[1]).value();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, MessageKind::kLost);
  EXPECT_EQ(message->code, ErrorCode::kDevice);
  EXPECT_EQ(message->text.size(), kMaxChannelText);

  int pair[2];
  ASSERT_TRUE(MakeSocketPair(SOCK_STREAM, pair));
  ASSERT_TRUE(SendMessage(ends_[0], {MessageKind::kConnection, 42, ErrorCode::kInternal, "", pair[1]}));
  message = ReceiveMessage(ends_[1]).value();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->tag, 42u);
  ASSERT_GE(message->descriptor, 0);
  EXPECT_EQ(write(message->descriptor, "hi", 2), 2);
  char bytes[2];
  EXPECT_EQ(read(pair[0], bytes, 2), 2);
  for (const int descriptor : {pair[0], pair[1], message->descriptor}) close(descriptor);
}

TEST_F(Channel, TellsWhenTheOtherSideIsGoneOrMad) {
  ASSERT_EQ(send(ends_[0], "nonsense", 8, 0), 8);
  EXPECT_FALSE(ReceiveMessage(ends_[1]));
  ASSERT_TRUE(SendMessage(ends_[0], {MessageKind::kConnection, 1, ErrorCode::kInternal, "", -1}));
  EXPECT_FALSE(ReceiveMessage(ends_[1])) << "a connection without a descriptor";
  shutdown(ends_[0], SHUT_RDWR);
  EXPECT_EQ(ReceiveMessage(ends_[1]).error().code, ErrorCode::kIo);
  EXPECT_EQ(SendMessage(ends_[1], {}).error().code, ErrorCode::kIo);
}

TEST_F(Channel, DoesNotWaitForOneThatDoesNotRead) {
  Status sent;
  for (int i = 0; sent && i < 100'000; ++i) sent = SendMessage(ends_[0], {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kBusy);
}

TEST(SharedBoard, ShowsTheSameToBothSides) {
  auto here = SharedBoard::Create();
  ASSERT_TRUE(here);
  EXPECT_EQ(ftruncate(here->descriptor(), 1), -1) << "a worker could take the memory away";
  auto there = SharedBoard::Adopt(dup(here->descriptor()));
  ASSERT_TRUE(there);
  EXPECT_EQ(here->Read().number, 0u);
  const uint64_t tags[] = {7, 9};
  there->Beat();
  there->BeginStep(12, tags, 5000);
  EXPECT_EQ(here->beats(), 1u);
  StepView step = here->Read();
  EXPECT_TRUE(step.is_running);
  EXPECT_EQ(step.number, 1u);
  EXPECT_EQ(step.n_tokens, 12u);
  EXPECT_EQ(step.allowed_ms, 5000u);
  EXPECT_EQ(step.tags, (std::vector<uint64_t>{7, 9}));
  there->EndStep();
  step = here->Read();
  EXPECT_FALSE(step.is_running);
  EXPECT_EQ(step.number, 1u);
  EXPECT_FALSE(SharedBoard::Adopt(dup(STDERR_FILENO)));
}

// A runner that fails as it is told.
class FailingRunner final : public Runner {
 public:
  const RunnerLimits& limits() const override { return limits_; }
  Status CopyPage(int32_t, int32_t) override { return {}; }
  Result<std::span<const float>> Run(const StepBatch&) override { return Error{code, "as told", ""}; }
  ErrorCode code = ErrorCode::kOutOfMemory;

 private:
  RunnerLimits limits_;
};

TEST(WatchedRunner, OnlyADeviceErrorMeansThatTheDeviceIsLost) {
  auto board = SharedBoard::Create();
  ASSERT_TRUE(board);
  auto inner = std::make_unique<FailingRunner>();
  FailingRunner* const failing = inner.get();
  int n_lost = 0;
  WatchedRunner runner(std::move(inner), *board, [&](const Error&) { ++n_lost; });
  StepBatch batch;
  batch.token_ids = {1, 2};
  batch.tags = {5};
  EXPECT_FALSE(runner.Run(batch));
  EXPECT_EQ(n_lost, 0);
  failing->code = ErrorCode::kDevice;
  EXPECT_FALSE(runner.Run(batch));
  EXPECT_EQ(n_lost, 1);
  EXPECT_EQ(board->Read().number, 2u);
  EXPECT_FALSE(board->Read().is_running);
}

}  // namespace
}  // namespace rf::server

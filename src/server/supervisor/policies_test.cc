// What decides about a worker's life, without a process and with times of its own.
#include <gtest/gtest.h>

#include "server/supervisor/fault.h"
#include "server/supervisor/quarantine.h"
#include "server/supervisor/restart_policy.h"
#include "server/supervisor/step_times.h"
#include "server/supervisor/watchdog.h"

namespace rf::server {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(RestartPolicy, WaitsLongerEachTimeAndGivesUpAtTheFifthDeath) {
  RestartPolicy policy;
  const RestartPolicy::Clock::time_point start{};
  EXPECT_EQ(policy.OnDeath(start), seconds(0));
  EXPECT_EQ(policy.OnDeath(start + minutes(2)), seconds(1));
  EXPECT_EQ(policy.OnDeath(start + minutes(4)), seconds(2));
  EXPECT_EQ(policy.OnDeath(start + minutes(6)), seconds(4));
  EXPECT_EQ(policy.OnDeath(start + minutes(10) - seconds(1)), std::nullopt);
  EXPECT_EQ(policy.n_deaths(), 5);
}

TEST(RestartPolicy, ForgetsDeathsAfterTenMinutes) {
  RestartPolicy policy;
  RestartPolicy::Clock::time_point now{};
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(policy.OnDeath(now)) << i;
    now += seconds(150);
  }
  EXPECT_EQ(policy.n_deaths(), 4);
  EXPECT_EQ(policy.OnDeath(now + minutes(10)), seconds(0));
}

TEST(Quarantine, RefusesAfterTwoDeathsAndForgetsWhoWasAnswered) {
  Quarantine quarantine;
  const uint64_t poison = quarantine.Fingerprint("/v1/completions", "{\"prompt\": \"a\"}");
  const uint64_t innocent = quarantine.Fingerprint("/v1/completions", "{\"prompt\": \"b\"}");
  EXPECT_NE(poison, innocent);
  EXPECT_NE(poison, quarantine.Fingerprint("/v1/chat/completions", "{\"prompt\": \"a\"}"));
  EXPECT_FALSE(quarantine.IsSuspect(poison));
  quarantine.RecordDeath({poison, innocent, poison});  // the same one twice at once counts once
  EXPECT_TRUE(quarantine.IsSuspect(poison) && quarantine.IsSuspect(innocent));
  EXPECT_FALSE(quarantine.IsRefused(poison));
  quarantine.Clear(innocent);
  quarantine.RecordDeath({poison});
  EXPECT_TRUE(quarantine.IsRefused(poison));
  EXPECT_FALSE(quarantine.IsSuspect(innocent));
}

TEST(Quarantine, IsBounded) {
  Quarantine quarantine;
  for (uint64_t i = 0; i < 3 * Quarantine::kMaxEntries; ++i) quarantine.RecordDeath({i});
  EXPECT_FALSE(quarantine.IsSuspect(0));
  EXPECT_TRUE(quarantine.IsSuspect(3 * Quarantine::kMaxEntries - 1));
}

constexpr int LooksIn(seconds time) {
  return static_cast<int>(time / Watchdog::kInterval);
}

TEST(Watchdog, FindsAWorkerThatStandsStill) {
  Watchdog watchdog;
  uint64_t beats = 0;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(watchdog.Look(++beats, {}, true), Watchdog::Verdict::kSound);
  for (int i = 1; i < LooksIn(seconds(4)); ++i) {
    EXPECT_EQ(watchdog.Look(beats, {}, true), Watchdog::Verdict::kSound) << i;
  }
  EXPECT_EQ(watchdog.Look(beats, {}, true), Watchdog::Verdict::kSilent);
}

TEST(Watchdog, ExpectsNoBeatsWhileAModelIsLoaded) {
  Watchdog watchdog;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(watchdog.Look(0, {}, false), Watchdog::Verdict::kSound);
}

TEST(Watchdog, LetsALongStepRunAndFindsAnEndlessOne) {
  Watchdog watchdog;
  uint64_t beats = 0;
  StepView step;
  step.number = 1;
  step.is_running = true;
  step.allowed_ms = 60'000;
  for (int i = 0; i <= LooksIn(seconds(60)); ++i) {
    EXPECT_EQ(watchdog.Look(++beats, step, true), Watchdog::Verdict::kSound) << i;
  }
  EXPECT_EQ(watchdog.Look(++beats, step, true), Watchdog::Verdict::kStuck);
  step.number = 2;  // the next one has all the time again
  EXPECT_EQ(watchdog.Look(++beats, step, true), Watchdog::Verdict::kSound);
  step.is_running = false;  // waiting for work takes as long as it takes
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(watchdog.Look(++beats, step, true), Watchdog::Verdict::kSound);
}

TEST(StepTimes, AllowsTenSecondsOrTwentyTimesWhatIsExpected) {
  StepTimes times;
  EXPECT_EQ(times.AllowedMs(1), 125'000u);  // nothing is known
  times.Record(1, 0.01);
  EXPECT_EQ(times.AllowedMs(1), 10'000u);
  EXPECT_DOUBLE_EQ(times.Expected(512), 5.12);  // as if each row took the time of one alone
  EXPECT_EQ(times.AllowedMs(512), 102'400u);
  times.Record(512, 2.0);
  EXPECT_DOUBLE_EQ(times.Expected(600), 2.0);
  EXPECT_EQ(times.AllowedMs(1023), 40'000u);
}

TEST(StepTimes, ALongerTimeCountsAtOnceAShorterOneBitByBit) {
  StepTimes times;
  times.Record(8, 1.0);
  times.Record(15, 3.0);
  EXPECT_DOUBLE_EQ(times.Expected(8), 3.0);
  times.Record(8, 1.0);
  EXPECT_DOUBLE_EQ(times.Expected(8), 2.8);
  EXPECT_DOUBLE_EQ(times.Expected(2), 2.8);  // only a larger one is known
}

TEST(Fault, IsReadAndHits) {
  const auto fault = ParseFault("hang,step=3,token=17,worker=2");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, FaultKind::kHang);
  EXPECT_EQ(fault->worker, 2u);
  const int32_t with[] = {5, 17}, without[] = {5, 18};
  EXPECT_TRUE(fault->Hits(3, with));
  EXPECT_FALSE(fault->Hits(3, without));
  EXPECT_FALSE(fault->Hits(4, with));
  EXPECT_TRUE(ParseFault("kill")->Hits(99, without));
  for (const char* wrong : {"", "x", "kill,", "kill,step", "kill,step=", "kill,step=1x", "kill;step=1", "kill,y=1"}) {
    EXPECT_FALSE(ParseFault(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace rf::server

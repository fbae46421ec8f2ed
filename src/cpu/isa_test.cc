#include "cpu/isa.h"

#include <cstdlib>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rf::cpu {
namespace {

using testing::HasSubstr;

// ROCMFORGE_CPU_ISA as a test wants it, and afterwards as it was.
class ForcedIsa {
 public:
  explicit ForcedIsa(const char* name) {
    if (const char* before = std::getenv("ROCMFORGE_CPU_ISA"); before != nullptr) before_ = before;
    if (name == nullptr) {
      unsetenv("ROCMFORGE_CPU_ISA");
    } else {
      setenv("ROCMFORGE_CPU_ISA", name, 1);
    }
  }
  ~ForcedIsa() {
    if (before_) {
      setenv("ROCMFORGE_CPU_ISA", before_->c_str(), 1);
    } else {
      unsetenv("ROCMFORGE_CPU_ISA");
    }
  }

 private:
  std::optional<std::string> before_;
};

TEST(SelectIsa, TakesTheStrongestThatTheMachineHas) {
  const ForcedIsa none(nullptr);
  std::string_view strongest;
  for (const Isa& isa : AllIsas()) {
    if (isa.is_supported) strongest = isa.name;
  }
  EXPECT_EQ(SelectIsa("").value()->name, strongest);
  EXPECT_NE(strongest, "reference");
}

TEST(SelectIsa, IsForcedByTheEnvironment) {
  const ForcedIsa forced("generic");
  EXPECT_EQ(SelectIsa("").value()->name, "generic");
  EXPECT_EQ(SelectIsa("reference").value()->name, "reference") << "an explicit name comes first";
}

TEST(SelectIsa, AnEmptyVariableForcesNothing) {
  const ForcedIsa forced("");
  EXPECT_NE(SelectIsa("").value()->name, "reference");
}

TEST(SelectIsa, RefusesUnknownNamesAndListsWhatThereIs) {
  for (const char* name : {"avx3", "AVX2", "generic ", "\x1b[31m"}) {
    const ForcedIsa forced(name);
    const auto isa = SelectIsa("");
    ASSERT_FALSE(isa.has_value()) << name;
    EXPECT_EQ(isa.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(isa.error().where, "ROCMFORGE_CPU_ISA");
    EXPECT_THAT(isa.error().message, HasSubstr("reference, generic"));
    EXPECT_THAT(isa.error().message, testing::Not(HasSubstr("\x1b"))) << "a terminal would act on it";
  }
}

TEST(SelectIsa, RefusesWhatTheMachineLacks) {
  for (const Isa& isa : AllIsas()) {
    if (isa.is_supported) continue;
    const auto selected = SelectIsa(isa.name);
    ASSERT_FALSE(selected.has_value());
    EXPECT_EQ(selected.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(selected.error().message, HasSubstr(std::string(isa.name)));
    return;
  }
  GTEST_SKIP() << "this machine has every instruction set of isa.def";
}

}  // namespace
}  // namespace rf::cpu

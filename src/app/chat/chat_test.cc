// What a chat does without a model: reading lines, keeping a conversation, fitting it into the context.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "app/chat/chat_input.h"
#include "app/chat/context_fit.h"
#include "app/chat/conversation.h"
#include "app/chat/conversation_file.h"
#include "app/chat/settings.h"
#include "app/style.h"

namespace rf::app {
namespace {

TEST(ChatInput, TellsCommandsFromMessages) {
  EXPECT_EQ(ParseChatInput("").action, ChatAction::kNothing);
  EXPECT_EQ(ParseChatInput(" \t").action, ChatAction::kNothing);
  EXPECT_EQ(ParseChatInput("/help").action, ChatAction::kHelp);
  EXPECT_EQ(ParseChatInput("/exit ").action, ChatAction::kExit);
  EXPECT_EQ(ParseChatInput("/quit").action, ChatAction::kExit);
  EXPECT_EQ(ParseChatInput("/clear").action, ChatAction::kClear);
  EXPECT_EQ(ParseChatInput("/regenerate").action, ChatAction::kRegenerate);
  const ChatInput save = ParseChatInput("/save  my chat.json ");
  EXPECT_EQ(save.action, ChatAction::kSave);
  EXPECT_EQ(save.argument, "my chat.json");
  const ChatInput unknown = ParseChatInput("/hepl me");
  EXPECT_EQ(unknown.action, ChatAction::kUnknown);
  EXPECT_EQ(unknown.argument, "hepl");
}

TEST(ChatInput, TakesPathsAndIndentedSlashesAsMessages) {
  for (const char* text : {"/etc/passwd is what?", " /help", "/", "//", "a /help", "/2 = ?"}) {
    EXPECT_EQ(ParseChatInput(text).action, ChatAction::kMessage) << text;
  }
  EXPECT_EQ(ParseChatInput(" /help ").argument, "/help");
}

TEST(ChatInput, HelpNamesEveryCommand) {
  const std::string help = ChatHelp();
  for (const char* name : {"/help", "/clear", "/save", "/load", "/system", "/regenerate", "/set", "/exit"}) {
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
}

std::string Join(const std::vector<std::string>& lines) {
  MultiLine multi;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool is_complete = multi.Add(lines[i]);
    EXPECT_EQ(is_complete, i + 1 == lines.size()) << lines[i];
    EXPECT_EQ(multi.is_open(), !is_complete);
  }
  return multi.Take();
}

TEST(MultiLine, JoinsContinuedLinesAndQuotedTexts) {
  EXPECT_EQ(Join({"one"}), "one");
  EXPECT_EQ(Join({"one\\", "two\\", "three"}), "one\ntwo\nthree");
  EXPECT_EQ(Join({"\"\"\"one", "two\"\"\""}), "one\ntwo");
  EXPECT_EQ(Join({"\"\"\"", "", "a \\", "\"\"\""}), "a \\\n");
  EXPECT_EQ(Join({"\"\"\"in one line\"\"\""}), "in one line");
  EXPECT_EQ(Join({"not \"\"\" at the beginning"}), "not \"\"\" at the beginning");
}

TEST(MultiLine, StartsAnewAfterTake) {
  MultiLine multi;
  multi.Add("a\\");
  multi.Clear();
  EXPECT_TRUE(multi.Add("b"));
  EXPECT_EQ(multi.Take(), "b");
  EXPECT_TRUE(multi.Add("c"));
  EXPECT_EQ(multi.Take(), "c");
}

Conversation ThreeTurns() {
  Conversation conversation;
  conversation.set_system("be kind");
  for (const char* n : {"1", "2", "3"}) {
    conversation.Add("user", std::string("q") + n);
    conversation.Add("assistant", std::string("a") + n);
  }
  return conversation;
}

TEST(Conversation, DropsTheOldestTurnButNeverTheLast) {
  Conversation conversation = ThreeTurns();
  ASSERT_TRUE(conversation.DropOldestTurn());
  EXPECT_EQ(conversation.messages()[0], (ChatMessage{"user", "q2"}));
  ASSERT_TRUE(conversation.DropOldestTurn());
  EXPECT_FALSE(conversation.DropOldestTurn());
  EXPECT_EQ(conversation.messages().size(), 2u);
  EXPECT_EQ(conversation.system(), "be kind");
}

TEST(Conversation, DropsTheLastAnswer) {
  Conversation conversation = ThreeTurns();
  ASSERT_TRUE(conversation.DropLastAnswer());
  EXPECT_EQ(conversation.messages().back(), (ChatMessage{"user", "q3"}));
  ASSERT_TRUE(conversation.DropLastAnswer());
  EXPECT_EQ(conversation.messages().size(), 5u);
  conversation.Clear();
  EXPECT_FALSE(conversation.DropLastAnswer());
}

TEST(Conversation, RefusesWhatIsNoConversation) {
  using nlohmann::ordered_json;
  const std::pair<const char*, const char*> cases[] = {
      {R"(5)", "messages"},
      {R"(["hi"])", "messages[0].role"},
      {R"([{"role": "user"}])", "messages[0].content"},
      {R"([{"role": "user", "content": null}])", "messages[0].content"},
      {R"([{"role": "user", "content": "a"}, {"role": "system", "content": "b"}])", "messages[1].role"},
      {R"([{"role": "tool", "content": "a"}])", "messages[0].role"},
  };
  for (const auto& [text, where] : cases) {
    const auto loaded = Conversation::FromJson(ordered_json::parse(text));
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().where, where);
  }
}

class ConversationFile : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (dir_ / name).string(); }
  void SetUp() override { std::filesystem::create_directories(dir_); }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::filesystem::path dir_ = std::filesystem::temp_directory_path() / ("rf_chat_test_" + std::to_string(getpid()));
};

TEST_F(ConversationFile, ComesBackAsItWas) {
  ASSERT_TRUE(SaveConversation(ThreeTurns(), "m", Path("chat.json")));
  ASSERT_TRUE(SaveConversation(ThreeTurns(), "m", Path("chat.json"))) << "an older chat is replaced";
  const auto loaded = LoadConversation(Path("chat.json"));
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->messages(), ThreeTurns().messages());
  EXPECT_EQ(loaded->system(), "be kind");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1) << "no part is left behind";
}

TEST_F(ConversationFile, LeavesOtherFilesAlone) {
  std::ofstream(Path("notes.txt")) << "mine";
  const auto saved = SaveConversation(ThreeTurns(), "m", Path("notes.txt"));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kInvalidArgument);
  std::string text;
  std::ifstream(Path("notes.txt")) >> text;
  EXPECT_EQ(text, "mine");
  EXPECT_FALSE(SaveConversation(ThreeTurns(), "m", Path("no/such/folder.json")));
  EXPECT_FALSE(LoadConversation(Path("missing.json")));
  EXPECT_FALSE(LoadConversation(dir_.string()));
}

// A prompt of ten tokens for each message, and ten for the system message.
Result<std::vector<int32_t>> TenEach(const Conversation& conversation) {
  return std::vector<int32_t>(10 * (conversation.messages().size() + 1));
}

TEST(ContextFit, KeepsEverythingThatFits) {
  Conversation conversation = ThreeTurns();
  conversation.DropLastAnswer();  // 60 tokens
  const auto prompt = FitIntoContext(conversation, 80, TenEach);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->n_dropped_turns, 0);
  EXPECT_EQ(prompt->tokens.size(), 60u);
}

TEST(ContextFit, DropsOldTurnsUntilHalfIsFree) {
  Conversation conversation = ThreeTurns();
  conversation.DropLastAnswer();
  const auto prompt = FitIntoContext(conversation, 78, TenEach);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->n_dropped_turns, 2);
  EXPECT_EQ(prompt->tokens.size(), 20u);
  EXPECT_EQ(conversation.messages().size(), 1u);
  EXPECT_EQ(conversation.system(), "be kind");
}

TEST(ContextFit, RefusesALastTurnThatIsTooLongAndChangesNothing) {
  Conversation conversation = ThreeTurns();
  conversation.DropLastAnswer();
  const auto prompt = FitIntoContext(conversation, 20, TenEach);
  ASSERT_FALSE(prompt);
  EXPECT_NE(prompt.error().message.find("20 tokens"), std::string::npos) << prompt.error().message;
  EXPECT_EQ(conversation.messages().size(), 5u);
}

TEST(ContextFit, PassesErrorsOn) {
  Conversation conversation = ThreeTurns();
  const auto prompt = FitIntoContext(conversation, 20, [](const Conversation&) -> Result<std::vector<int32_t>> {
    return Error{ErrorCode::kRejected, "no", ""};
  });
  ASSERT_FALSE(prompt);
  EXPECT_EQ(prompt.error().code, ErrorCode::kRejected);
}

TEST(Settings, SetsWhatIsInRange) {
  ChatSettings settings;
  EXPECT_TRUE(ApplySetting(settings, "temp 0.8", 100));
  EXPECT_TRUE(ApplySetting(settings, "top-k=40", 100));
  EXPECT_TRUE(ApplySetting(settings, "n = 12", 100));
  EXPECT_TRUE(ApplySetting(settings, "seed 18446744073709551615", 100));
  EXPECT_FLOAT_EQ(settings.sampling.temperature, 0.8f);
  EXPECT_EQ(settings.sampling.top_k, 40);
  EXPECT_EQ(settings.max_tokens, 12);
  EXPECT_EQ(settings.sampling.seed, UINT64_MAX);
}

TEST(Settings, RefusesTheRestAndKeepsWhatWas) {
  ChatSettings settings;
  for (const char* text : {"temp", "temp hot", "temp nan", "temp -1", "temp 1e30", "top-p 1.1", "top-k 1.5",
                           "min-p -0.1", "repeat-penalty 0", "n -1", "n 9999999999", "colour blue", "=", "seed -1"}) {
    EXPECT_FALSE(ApplySetting(settings, text, 100)) << text;
  }
  EXPECT_EQ(DescribeSettings(settings), DescribeSettings(ChatSettings()));
}

TEST(Style, LetsNoEscapeSequenceThrough) {
  EXPECT_EQ(ForTerminal("a\tb\nc é 中"), "a\tb\nc é 中");
  EXPECT_EQ(ForTerminal("\x1b[2J"), "\xEF\xBF\xBD[2J");
  EXPECT_EQ(ForTerminal("\xc2\x9b"), "\xEF\xBF\xBD");  // the one-character form of ESC [
  EXPECT_EQ(ForTerminal("\r\x7f"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace rf::app

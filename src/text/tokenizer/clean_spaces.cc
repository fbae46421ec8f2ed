#include "text/tokenizer/clean_spaces.h"

namespace rf {
namespace {

std::string BeforePunctuation(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i > 0 && text[i - 1] == ' ' && (c == '?' || c == '!' || c == '.' || c == ',')) out.pop_back();
    out += c;
  }
  return out;
}

std::string AroundApostrophe(std::string_view text) {
  std::string out;
  char previous = '\0';  // '\0' behind a removed space, which serves one apostrophe only
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_alone = previous == ' ' && text[i] == '\'' && i + 1 < text.size() && text[i + 1] == ' ';
    if (is_alone) out.pop_back();
    out += text[i];
    previous = text[i];
    if (is_alone) {
      previous = '\0';
      ++i;
    }
  }
  return out;
}

std::string BeforeContraction(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i + 1 < text.size() && text[i - 1] == ' ' && text[i] == '\'') {
      const std::string_view rest = text.substr(i + 1);
      if (rest[0] == 's' || rest[0] == 'm' || rest.substr(0, 2) == "re" || rest.substr(0, 2) == "ve") out.pop_back();
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string CleanSpaces(std::string_view text) {
  return BeforeContraction(AroundApostrophe(BeforePunctuation(text)));
}

}  // namespace rf

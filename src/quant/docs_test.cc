// Every format has a page in docs/quant/ and a row in its index that says what the code says.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "quant/format.h"

namespace rf {
namespace {

const char* const kPages[] = {
#define RF_FORMAT(Name, name, ggml_id, header) #header,
#include "quant/formats.def"
#undef RF_FORMAT
};

std::string ReadDocument(const std::string& name) {
  std::ifstream file(std::string(RF_SOURCE_DIR) + "/docs/quant/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string IndexRow(const FormatInfo& info, const std::string& page) {
  std::stringstream row;
  row << "| " << info.name << " | " << (info.ggml_id < 0 ? "–" : std::to_string(info.ggml_id)) << " | "
      << info.block_elements << " | " << info.block_bytes << " | " << 8.0 * info.block_bytes / info.block_elements
      << " | " << (info.pack != nullptr ? "yes" : "no") << " | [" << page << "](" << page << ".md) |\n";
  return row.str();
}

TEST(DocsTest, TheIndexHasEveryFormat) {
  const std::string index = ReadDocument("README.md");
  for (int f = 0; f < kNumFormats; ++f) {
    const std::string row = IndexRow(GetFormatInfo(static_cast<Format>(f)), kPages[f]);
    EXPECT_NE(index.find(row), std::string::npos) << "docs/quant/README.md lacks the row\n" << row;
  }
}

TEST(DocsTest, EveryFormatHasAPageThatNamesIt) {
  for (int f = 0; f < kNumFormats; ++f) {
    const std::string page = ReadDocument(std::string(kPages[f]) + ".md");
    const std::string title = page.substr(0, page.find('\n'));
    EXPECT_EQ(title.rfind("# ", 0), 0u) << kPages[f] << ".md";
    EXPECT_NE(title.find(GetFormatInfo(static_cast<Format>(f)).name), std::string::npos)
        << kPages[f] << ".md: " << title;
  }
}

}  // namespace
}  // namespace rf

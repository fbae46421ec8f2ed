#include "text/tokenizer/merge_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/log.h"
#include "base/utf8.h"

namespace rf {
namespace {

// A few merges on their way from the file to the table.
struct Batch {
  static constexpr size_t kSize = 32;
  struct Entry {
    size_t begin = 0, middle = 0, end = 0;  // of both halves in `bytes`; 0 if the entry is malformed
    uint64_t prepared[3] = {};
    int32_t left = -1, right = -1, merged = -1;
    bool IsKnown() const { return left >= 0 && right >= 0 && merged >= 0; }
  };
  std::string bytes;
  Entry entries[kSize];

  std::string_view Text(size_t from, size_t to) const { return std::string_view(bytes).substr(from, to - from); }
};

void Split(std::string_view merge, const MergeReader& reader, std::string& bytes, Batch::Entry& entry) {
  const size_t space = merge.find(' ', 1);
  if (space == std::string_view::npos || space + 1 == merge.size()) return;
  entry.begin = bytes.size();
  if (!reader.decode(merge.substr(0, space), bytes)) return;
  entry.middle = bytes.size();
  if (!reader.decode(merge.substr(space + 1), bytes)) return;
  entry.end = bytes.size();
}

// Finds the tokens of merges[begin, begin + n). Every look-up is a cache miss, so that they are done side by side.
void ReadBatch(const std::string* merges, size_t n, const MergeReader& reader, const MergeTable& table, Batch& batch) {
  batch.bytes.clear();
  for (size_t i = 0; i < n; ++i) {
    batch.entries[i] = {};
    Split(merges[i], reader, batch.bytes, batch.entries[i]);
  }
  const StringTable& token_of = reader.token_of;
  for (size_t i = 0; i < n; ++i) {
    Batch::Entry& entry = batch.entries[i];
    entry.prepared[0] = token_of.Prepare(batch.Text(entry.begin, entry.middle));
    entry.prepared[1] = token_of.Prepare(batch.Text(entry.middle, entry.end));
    entry.prepared[2] = token_of.Prepare(batch.Text(entry.begin, entry.end));
  }
  for (size_t i = 0; i < n; ++i) {
    Batch::Entry& entry = batch.entries[i];
    if (entry.end == 0) continue;
    entry.left = token_of.Find(batch.Text(entry.begin, entry.middle), entry.prepared[0]);
    entry.right = token_of.Find(batch.Text(entry.middle, entry.end), entry.prepared[1]);
    entry.merged = token_of.Find(batch.Text(entry.begin, entry.end), entry.prepared[2]);
    table.Prefetch(entry.left, entry.right);
  }
}

}  // namespace

void ReadMerges(const std::vector<std::string>& merges, const MergeReader& reader, MergeTable& table) {
  table.Reserve(merges.size());
  size_t n_skipped = 0, first_skipped = 0;
  Batch batch;
  for (size_t begin = 0; begin < merges.size(); begin += Batch::kSize) {
    const size_t n = std::min(Batch::kSize, merges.size() - begin);
    ReadBatch(merges.data() + begin, n, reader, table, batch);
    for (size_t i = 0; i < n; ++i) {
      const Batch::Entry& entry = batch.entries[i];
      const MergeCandidate merged{static_cast<uint32_t>(begin + i), entry.merged};
      if (entry.IsKnown() && table.Insert(entry.left, entry.right, merged)) {
        reader.on_merge(batch.Text(entry.begin, entry.end), entry.middle - entry.begin);
        continue;
      }
      if (n_skipped++ == 0) first_skipped = begin + i;
    }
  }
  if (n_skipped == 0) return;
  Log(LogLevel::kWarning,
      fmt::format("tokenizer.ggml.merges: {} of {} entries name unknown pieces or repeat others and are skipped, the "
                  "first is [{}] '{}'",
                  n_skipped, merges.size(), first_skipped, EscapeForMessage(merges[first_skipped])));
}

}  // namespace rf

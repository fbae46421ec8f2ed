// Working memory of Encode calls. A tokenizer keeps a pool of them, so that concurrent calls do not share one and the
// word cache stays warm from call to call.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "text/tokenizer/merge.h"
#include "text/tokenizer/word_cache.h"

namespace rf {

struct EncodeScratch {
  WordCache cache;
  Merger merger;
  std::string text;
};

class ScratchPool {
 public:
  /// Lends one scratch for as long as the object lives.
  class Loan {
   public:
    explicit Loan(ScratchPool& pool) : pool_(pool), scratch_(pool.Take()) {}
    ~Loan() { pool_.Return(std::move(scratch_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    EncodeScratch& operator*() { return *scratch_; }

   private:
    ScratchPool& pool_;
    std::unique_ptr<EncodeScratch> scratch_;
  };

 private:
  static constexpr size_t kMaxKept = 16;

  std::unique_ptr<EncodeScratch> Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto scratch = std::move(free_.back());
        free_.pop_back();
        return scratch;
      }
    }
    return std::make_unique<EncodeScratch>();
  }
  void Return(std::unique_ptr<EncodeScratch> scratch) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kMaxKept) free_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<EncodeScratch>> free_;
};

}  // namespace rf

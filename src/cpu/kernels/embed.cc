// Rows of the embedding table, unpacked from the file's own layout and scaled.
#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

void EmbedToken(void* context, int64_t t, int) {
  const auto& args = *static_cast<const Embed::Args*>(context);
  const FormatInfo& info = GetFormatInfo(args.weight.format);
  const int64_t token = args.batch->token_ids[t];
  const auto* row = static_cast<const uint8_t*>(args.weight.data) + token * RowBytes(info, args.weight.n_cols);
  float* y = static_cast<float*>(args.y.data) + t * args.y.row_stride;
  info.unpack(row, args.weight.n_cols, y);
  if (args.attrs.scale == 1.0f) return;
  for (int64_t i = 0; i < args.weight.n_cols; ++i) y[i] *= args.attrs.scale;
}

/// Tokens from which on the pool shares the work.
constexpr int64_t kShareFrom = 8;

void Launch(void* context, const Embed::Args& args) {
  auto* shared = const_cast<Embed::Args*>(&args);
  if (args.y.n_rows < kShareFrom) {
    for (int64_t t = 0; t < args.y.n_rows; ++t) EmbedToken(shared, t, 0);
  } else {
    static_cast<const CpuContext*>(context)->pool->Run(args.y.n_rows, EmbedToken, shared);
  }
}

}  // namespace

void RF_ISA::RegisterEmbed(KernelTable& table) {
#define RF_FORMAT(Name, ...) table.embed.Set(Format::k##Name, {Launch, nullptr, RF_KERNEL_NAME("embed_" #Name)});
#include "quant/formats.def"
#undef RF_FORMAT
}

}  // namespace rf::cpu

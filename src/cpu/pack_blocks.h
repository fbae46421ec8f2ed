// How the packer reads each packed integer format's blocks as the file holds them. One struct per format:
//   kBytes: of one record's worth of the file's bytes (one of the format's blocks);
//   StoreScales(source, record, row): the scales of the record, into lane `row` of their planes;
//   Words(source, block, words): 32 quants as the 32-bit words of one lane (cpu/pack_layout.h); returns how many.
// The blocks' layouts are documented in docs/quant/.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "cpu/pack_layout.h"
#include "quant/k_scales.h"
#include "quant/nvfp4.h"
#include "quant/q3_k.h"
#include "quant/tq1_0.h"

namespace rf::cpu {

inline uint16_t Load16(const uint8_t* p) {
  uint16_t value;
  memcpy(&value, p, sizeof(value));
  return value;
}

inline uint32_t Load32(const uint8_t* p) {
  uint32_t value;
  memcpy(&value, p, sizeof(value));
  return value;
}

/// Lane `row` of a plane of 16-bit numbers.
inline void StoreHalf(uint8_t* plane, int row, uint16_t value) {
  memcpy(plane + row * 2, &value, sizeof(value));
}

/// Takes nibbles 0, 2, 4 and 6 of a word to its low half, in order.
inline uint32_t EvenNibbles(uint32_t word) {
  word &= 0x0f0f0f0fu;
  word = (word | word >> 4) & 0x00ff00ffu;
  return (word | word >> 8) & 0xffffu;
}

/// Spreads the low 16 bits to the even bits.
inline uint32_t SpreadBits(uint32_t bits) {
  bits &= 0xffffu;
  bits = (bits | bits << 8) & 0x00ff00ffu;
  bits = (bits | bits << 4) & 0x0f0f0f0fu;
  bits = (bits | bits << 2) & 0x33333333u;
  return (bits | bits << 1) & 0x55555555u;
}

/// Bits of weights 0 .. 31, one each, to the order of the pairs: bit p of the low half is the first of pair p, of the
/// high half the second.
inline uint32_t PairBits(uint32_t bits) {
  const uint32_t woven = SpreadBits(bits) | SpreadBits(bits >> 16) << 1;
  return EvenNibbles(woven) | EvenNibbles(woven >> 4) << 16;
}

/// Formats of 32 weights with an F16 scale, perhaps an F16 minimum, perhaps 32 fifth bits, and 16 bytes of nibbles.
template <Format kOf, bool kHasMinimum, bool kHasFifthBits>
struct NibbleSource {
  static constexpr Format kFormat = kOf;
  static constexpr int kHigh = kHasMinimum ? 4 : 2;
  static constexpr int kNibbles = kHigh + (kHasFifthBits ? 4 : 0);
  static constexpr int kBytes = kNibbles + 16;

  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source));
    if constexpr (kHasMinimum) StoreHalf(record + kHalfPlane, row, Load16(source + 2));
  }
  static int Words(const uint8_t* source, int, uint32_t* words) {
    memcpy(words, source + kNibbles, 16);
    if constexpr (kHasFifthBits) words[4] = PairBits(Load32(source + kHigh));
    return kHasFifthBits ? 5 : 4;
  }
};

using Q4_0Source = NibbleSource<Format::kQ4_0, false, false>;
using Q4_1Source = NibbleSource<Format::kQ4_1, true, false>;
using Q5_0Source = NibbleSource<Format::kQ5_0, false, true>;
using Q5_1Source = NibbleSource<Format::kQ5_1, true, true>;
using IQ4_NLSource = NibbleSource<Format::kIQ4_NL, false, false>;

/// Formats whose record has one F16 scale, kScaleAt bytes behind its start.
template <Format kOf, int kSize, int kScaleAt>
struct OneScaleSource {
  static constexpr Format kFormat = kOf;
  static constexpr int kBytes = kSize;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source + kScaleAt));
  }
};

struct Q8_0Source : OneScaleSource<Format::kQ8_0, 34, 0> {
  static int Words(const uint8_t* source, int, uint32_t* words) {
    for (int j = 0; j < 8; ++j) words[j] = Load32(source + 2 + 4 * j) ^ 0x80808080u;  // signed to + 128
    return 8;
  }
};

struct MXFP4Source {
  static constexpr Format kFormat = Format::kMXFP4;
  static constexpr int kBytes = 17;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    // Half of 2^(e - 127) as BF16; the two smallest are subnormal.
    const int exponent = source[0];
    StoreHalf(record, row, static_cast<uint16_t>(exponent < 2 ? 0x20 << exponent : (exponent - 1) << 7));
  }
  static int Words(const uint8_t* source, int, uint32_t* words) {
    memcpy(words, source + 1, 16);
    return 4;
  }
};

/// 32 nibbles of the K formats: each 32 bytes hold two blocks, low and high.
inline void KNibbleWords(const uint8_t* nibbles, bool high, uint32_t* words) {
  for (int j = 0; j < 4; ++j) {
    const uint32_t first = Load32(nibbles + 4 * j) >> (high ? 4 : 0) & 0x0f0f0f0fu;
    const uint32_t second = Load32(nibbles + 16 + 4 * j) >> (high ? 4 : 0) & 0x0f0f0f0fu;
    words[j] = first | second << 4;
  }
}

/// Bit `bit` of 32 bytes, as one word.
inline uint32_t GatherBit(const uint8_t* bytes, int bit) {
  uint32_t word = 0;
  for (int i = 0; i < 32; i += 8) {
    uint64_t eight;
    memcpy(&eight, bytes + i, sizeof(eight));
    // The product moves bit 8k of the masked word to bit 56 + k.
    const uint64_t gathered = ((eight >> bit & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
    word |= static_cast<uint32_t>(gathered) << i;
  }
  return word;
}

/// Bits `bit` and `bit` + 1 of 32 bytes, as the two words of a 2-bit plane.
inline void TwoBitWords(const uint8_t* bytes, int bit, uint32_t* words) {
  const uint32_t low_bits = PairBits(GatherBit(bytes, bit));
  const uint32_t high_bits = PairBits(GatherBit(bytes, bit + 1));
  for (int w = 0; w < 2; ++w) {
    // Pairs 8w .. 8w + 7: bits 2p and 2p + 1 of each 16-bit half.
    const int s = 8 * w;
    const uint32_t even = (low_bits >> s & 0xffu) | (low_bits >> (16 + s) & 0xffu) << 8;
    const uint32_t odd = (high_bits >> s & 0xffu) | (high_bits >> (16 + s) & 0xffu) << 8;
    words[w] = SpreadBits(even) | SpreadBits(odd) << 1;
  }
}

/// Where the K formats and TQ2_0 keep two bits of each of block b's weights: `bit` and the next of 32 bytes.
inline void CrumbWords(const uint8_t* crumbs, int b, uint32_t* words) {
  TwoBitWords(crumbs + b / 4 * 32, b % 4 * 2, words);
}

template <Format kOf, bool kHasFifthBits>
struct KSource {
  static constexpr Format kFormat = kOf;
  static constexpr int kNibbles = 16 + (kHasFifthBits ? 32 : 0);
  static constexpr int kBytes = kNibbles + 128;

  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source));
    StoreHalf(record + kHalfPlane, row, Load16(source + 2));
    uint8_t* scales = record + 2 * kHalfPlane;
    for (int b = 0; b < 8; ++b) {
      const KScale k = UnpackKScale(source + 4, b);
      scales[b * kBytePlane + row] = static_cast<uint8_t>(k.scale);
      scales[(8 + b) * kBytePlane + row] = static_cast<uint8_t>(k.minimum);
    }
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    KNibbleWords(source + kNibbles + b / 2 * 32, b % 2 != 0, words);
    if constexpr (kHasFifthBits) words[4] = PairBits(GatherBit(source + 16, b));
    return kHasFifthBits ? 5 : 4;
  }
};

using Q4_KSource = KSource<Format::kQ4_K, false>;
using Q5_KSource = KSource<Format::kQ5_K, true>;

/// Q6_K: 128 bytes of nibbles, 64 of bit pairs, 16 scales, d. Each half of 128 weights: blocks 0 and 1 are the low
/// nibbles of its 64 bytes, 2 and 3 the high ones; block b's high bits are bits 2b of its 32 bytes.
struct Q6_KSource {
  static constexpr Format kFormat = Format::kQ6_K;
  static constexpr int kBytes = 210;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source + 208));
    for (int s = 0; s < 16; ++s) record[kHalfPlane + s * kBytePlane + row] = source[192 + s];
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    KNibbleWords(source + b / 4 * 64 + b % 2 * 32, b % 4 >= 2, words);
    CrumbWords(source + 128, b, words + 4);
    return 6;
  }
};

/// Q2_K: 16 bytes of scale and minimum, 64 of crumbs, d, dmin.
struct Q2_KSource {
  static constexpr Format kFormat = Format::kQ2_K;
  static constexpr int kBytes = 84;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source + 80));
    StoreHalf(record + kHalfPlane, row, Load16(source + 82));
    for (int s = 0; s < 16; ++s) record[2 * kHalfPlane + s * kBytePlane + row] = source[s];
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    CrumbWords(source + 16, b, words);
    return 2;
  }
};

/// Q3_K: 32 bytes of third bits, 64 of crumbs, 12 of scales, d.
struct Q3_KSource {
  static constexpr Format kFormat = Format::kQ3_K;
  static constexpr int kBytes = 110;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source + 108));
    for (int s = 0; s < 16; ++s) {
      record[kHalfPlane + s * kBytePlane + row] = static_cast<uint8_t>(Q3KScale(source + 96, s));
    }
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    CrumbWords(source + 32, b, words);
    words[2] = PairBits(GatherBit(source, b));
    return 3;
  }
};

/// IQ4_XS: d, 16 high bits of scales, 4 bytes of low nibbles of scales, 8 blocks of 16 bytes.
struct IQ4_XSSource {
  static constexpr Format kFormat = Format::kIQ4_XS;
  static constexpr int kBytes = 136;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    StoreHalf(record, row, Load16(source));
    const uint32_t high = Load16(source + 2);
    for (int b = 0; b < 8; ++b) {
      const uint32_t low = source[4 + b / 2] >> (b % 2 * 4) & 15u;
      const uint32_t scale = low | (high >> (2 * b) & 3u) << 4;
      record[kHalfPlane + b * kBytePlane + row] = static_cast<uint8_t>(static_cast<int>(scale) - 32);
    }
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    memcpy(words, source + 8 + b * 16, 16);
    return 4;
  }
};

/// NVFP4: four E4M3 scales, then 8 bytes for each 16 weights, two of which make a block.
struct NVFP4Source {
  static constexpr Format kFormat = Format::kNVFP4;
  static constexpr int kBytes = 36;
  static void StoreScales(const uint8_t* source, uint8_t* record, int row) {
    // Three bits of mantissa: exact in F16.
    for (int s = 0; s < 4; ++s) StoreHalf(record + s * kHalfPlane, row, FloatToHalf(E4M3ToHalvedFloat(source[s])));
  }
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    // Byte t holds weights t and t + 8 of its sixteen; weights t and t + 16 of the block are to lie together.
    const uint8_t* codes = source + 4 + b * 16;
    for (int j = 0; j < 4; ++j) {
      const uint32_t first = Load32(codes + j % 2 * 4) >> (j / 2 * 4) & 0x0f0f0f0fu;
      const uint32_t second = Load32(codes + 8 + j % 2 * 4) >> (j / 2 * 4) & 0x0f0f0f0fu;
      words[j] = first | second << 4;
    }
    return 4;
  }
};

/// TQ1_0: five digits in each of 32 bytes, five in 16, four in 4, then d. Digit n of a group's byte j is its weight
/// n * bytes + j.
struct TQ1_0Source : OneScaleSource<Format::kTQ1_0, 54, 52> {
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    uint8_t digits[kBlock];
    for (int i = 0; i < kBlock; ++i) digits[i] = static_cast<uint8_t>(DigitOf(source, b * kBlock + i));
    TwoBitWords(digits, 0, words);
    return 2;
  }
  static int DigitOf(const uint8_t* source, int weight) {
    if (weight < 160) return TernaryDigitOfByte(source[weight % 32], weight / 32);
    if (weight < 240) return TernaryDigitOfByte(source[32 + weight % 16], (weight - 160) / 16);
    return TernaryDigitOfByte(source[48 + weight % 4], (weight - 240) / 4);
  }
};

struct TQ2_0Source : OneScaleSource<Format::kTQ2_0, 66, 64> {
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    CrumbWords(source, b, words);
    return 2;
  }
};

/// Q1_0: d, then a bit for each of 128 weights.
struct Q1_0Source : OneScaleSource<Format::kQ1_0, 18, 0> {
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    words[0] = PairBits(Load32(source + 2 + 4 * b));
    return 1;
  }
};

/// Q2_0: d, then two bits for each of 64 weights, one after another.
struct Q2_0Source : OneScaleSource<Format::kQ2_0, 18, 0> {
  static int Words(const uint8_t* source, int b, uint32_t* words) {
    uint8_t quants[kBlock];
    for (int i = 0; i < kBlock; ++i) {
      quants[i] = static_cast<uint8_t>(source[2 + 8 * b + i / 4] >> (i % 4 * 2) & 3);
    }
    TwoBitWords(quants, 0, words);
    return 2;
  }
};

}  // namespace rf::cpu

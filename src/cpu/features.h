// What this machine's processor has and the operating system lets a program use. Each family of processors has a source
// of its own, features_<family>.cc.
#pragma once

namespace rf::cpu {

struct Features {
  bool avx2 = false;
  bool avx2_vnni = false;
  bool avx512 = false;
  bool avx512_vnni = false;
  bool amx = false;
  bool neon = false;
  bool neon_dotprod = false;
};

Features DetectFeatures();

}  // namespace rf::cpu

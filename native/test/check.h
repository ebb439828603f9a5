// What every native test counts and says: check(whether it holds, the truth), and at the end report() as main's result.
// Threads may check too.
#pragma once
#include <stdio.h>

#include <atomic>
#include <string>

inline std::atomic<size_t> passed{0}, failed{0};

inline void check(bool ok, const std::string& truth) {
  ++(ok ? passed : failed);
  if (!ok) printf("FAILED: %s\n", truth.c_str());
}

inline int report() {
  printf("%zu passed, %zu failed\n", passed.load(), failed.load());
  return failed == 0 ? 0 : 1;
}

// What every native test counts and says: check(whether it holds, the truth), and at the end report() as main's result.
// Threads may check too.
#pragma once
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <atomic>
#include <string>

inline std::atomic<size_t> passed{0}, failed{0};

inline void check(bool ok, const std::string& truth) {
  ++(ok ? passed : failed);
  if (!ok) printf("FAILED: %s\n", truth.c_str());
}

// Of so many cases at random those that there is time for: sanitizers and emulators take 10 to 50 times as long.
inline size_t cases(size_t all) { return getenv("GRADSTEP_FEW_CASES") != nullptr ? (all + 9) / 10 : all; }

inline int report() {
  printf("%zu passed, %zu failed\n", passed.load(), failed.load());
  return failed == 0 ? 0 : 1;
}

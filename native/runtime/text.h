// Text in memory of a fixed size.
#pragma once
#include <stddef.h>

#include <algorithm>
#include <string>

namespace gradstep {

// As much of it as there is room for.
template <size_t N> void put_text(char (&to)[N], const std::string& text) {
  const size_t length = std::min(text.size(), N - 1);
  std::copy_n(text.data(), length, to);
  to[length] = 0;
}

}  // namespace gradstep

#include "program_shards.h"

#include <string.h>

#include <algorithm>

#include "blocks.h"

namespace gradstep {
namespace {

size_t common_divisor(size_t a, size_t b) {
  while (b != 0) {
    const size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

void copy(char* to, const char* from, size_t bytes) {
  if (bytes > 0) memcpy(to, from, bytes);
}

}  // namespace

bool ProgramShards::is_small(size_t i) const { return whole_length(i) <= kBlockElements; }

// What a rank has of small variables: f(variable, where it starts there in bytes, how many).
template <class F> void ProgramShards::each_small(size_t of, F f) {
  for (size_t i = 0; i < list.size(); ++i) {
    const size_t* const at = bounds.data() + list[i].bounds + of;
    if (is_small(i)) f(i, at[0] * list[i].width, (at[1] - at[0]) * list[i].width);
  }
}

bool ProgramShards::reserve(const GradientTail& tail, size_t ranks, const Buffer<size_t>& most_rows) {
  ranks_ = ranks;
  size_t packed = 0, unpacked = 0;
  for (size_t of = 0; of < ranks; ++of) {
    each_small(of, [&](size_t, size_t, size_t bytes) {
      unpacked += bytes;
      packed += of == rank ? bytes : 0;
    });
  }
  return starts_.resize(list.size()) && pieces_.reserve(list.size() + 1) && packed_.resize(packed) &&
         unpacked_.resize(unpacked) && reserve_rows(tail, most_rows);
}

bool ProgramShards::reserve_rows(const GradientTail& tail, const Buffer<size_t>& most_rows) {
  for (size_t i = 0; i < list.size(); ++i) {
    const ProgramGradient& gradient = tail.gradients[i];
    ProgramShard& shard = list[i];
    if (gradient.is_dense()) continue;
    shard.row = common_divisor(common_divisor(gradient.row_elements, begin(i)), begin(i) + length(i));
    const size_t most = length(i) == 0 ? 0 : std::min(length(i), most_rows[i] * gradient.row_elements);
    shard.values = values_.size();
    shard.indices = indices_.size();
    // One more than needed: what has no rows is still one of rows.
    if (!values_.extend((most * shard.width + 63) / 64 * 64)) return false;
    if (!indices_.extend((shard.row == 0 ? 0 : most / shard.row) + 1)) return false;
  }
  return true;
}

GradientNow ProgramShards::own(size_t i, const GradientNow& now, const ProgramGradient& gradient) {
  const ProgramShard& shard = list[i];
  const size_t first = begin(i), end = first + length(i), columns = gradient.row_elements;
  if (now.rows == nullptr) {
    return {static_cast<char*>(now.values) + first * shard.width, end - first, now.factor, nullptr, 0};
  }
  char* const values = values_.data() + shard.values;
  int32_t* const indices = indices_.data() + shard.indices;
  size_t count = 0, elements = 0;
  for (size_t k = 0; k < now.row_count; ++k) {
    const size_t start = static_cast<size_t>(now.rows[k]) * columns;
    const size_t from = std::max(first, start), to = std::min(end, start + columns);
    if (to <= from) continue;
    copy(values + elements * shard.width,
         static_cast<const char*>(now.values) + (k * columns + from - start) * shard.width, (to - from) * shard.width);
    elements += to - from;
    for (size_t at = from; at < to; at += shard.row) indices[count++] = static_cast<int32_t>((at - first) / shard.row);
  }
  return {values, elements, now.factor, indices, count};
}

void ProgramShards::locate(const TaskContext& context) {
  pieces_.clear();
  for (size_t i = 0; i < list.size(); ++i) {
    starts_[i] = context.at<char>(list[i].whole);
    const size_t width = list[i].width;
    if (is_small(i)) continue;
    pieces_.add_reserved({starts_[i] + begin(i) * width, length(i) * width, starts_[i], whole_length(i) * width});
  }
  if (unpacked_.empty()) return;
  pieces_.add_reserved({packed_.data(), packed_.size(), unpacked_.data(), unpacked_.size()});
}

void ProgramShards::pack() {
  char* next = packed_.data();
  each_small(rank, [&](size_t i, size_t at, size_t bytes) {
    copy(next, starts_[i] + at, bytes);
    next += bytes;
  });
}

void ProgramShards::unpack() {
  const char* next = unpacked_.data();
  for (size_t of = 0; of < ranks_; ++of) {
    each_small(of, [&](size_t i, size_t at, size_t bytes) {
      if (of != rank) copy(starts_[i] + at, next, bytes);
      next += bytes;
    });
  }
}

}  // namespace gradstep

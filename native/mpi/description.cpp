#include "description.h"

#include <algorithm>

namespace gradstep::mpi {
namespace {

constexpr size_t kHead = 6;

uint64_t word_of(const Span& span) {
  return static_cast<uint64_t>(span.length) * 16 + static_cast<uint64_t>(span.kind) * 2 + (span.is_absent ? 1 : 0);
}

Span span_of(uint64_t word) {
  return {nullptr, static_cast<size_t>(word / 16), static_cast<Kind>(word / 2 % 8), word % 2 != 0};
}

void write_head(const Brought& brought, uint64_t (&head)[kHead]) {
  const uint64_t values[] = {static_cast<uint64_t>(brought.what),
                             brought.root,
                             brought.is_mean ? 1u : 0u,
                             brought.terms,
                             brought.arrays,
                             brought.outs};
  for (size_t i = 0; i < kHead; ++i) head[i] = values[i];
}

uint64_t mixed(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  hash ^= hash >> 32;
  return hash * 0xD6E8FEB86659FD93u;
}

bool fits_by_itself(const Brought& own, size_t i, size_t rank, size_t size) {
  const Span& in = own.in[i];
  const size_t part = part_start(in.length, rank + 1, size) - part_start(in.length, rank, size);
  const bool is_float = in.kind == Kind::kFloat32 || in.kind == Kind::kFloat64;
  switch (own.what) {
    case Collective::kAllReduce: return is_float;
    case Collective::kReduceScatter: return is_float && own.out[i].length == part && own.out[i].kind == in.kind;
    case Collective::kAllGather:
    case Collective::kGatherMade:
    case Collective::kGather:
      return own.outs == 0 || (own.out[i].length == in.length * size && own.out[i].kind == in.kind);
    case Collective::kBarrier:
    case Collective::kReduce:
    case Collective::kBroadcast: return true;
  }
  return false;
}

bool reduces_right(const Brought& own, size_t i) {
  Span like = own.outs > 0 ? own.out[i] : Span{nullptr, 0, Kind::kFloat32, true};
  for (size_t term = 0; term < own.terms; ++term) {
    const Span& in = own.in[term * own.arrays + i];
    if (in.is_absent) continue;
    if (like.is_absent) like = in;
    if (in.length != like.length || in.kind != like.kind) return false;
  }
  return like.is_absent || like.kind == Kind::kFloat32 || like.kind == Kind::kFloat64;
}

}  // namespace

uint64_t hash_of(const Brought& brought) {
  uint64_t head[kHead], hash = 0x6d7069;
  write_head(brought, head);
  for (size_t i = 0; i + 1 < kHead; ++i) hash = mixed(hash, head[i]);  // ranks differ in what they get
  for (size_t i = 0; i < brought.terms * brought.arrays; ++i) hash = mixed(hash, word_of(brought.in[i]));
  return hash;
}

bool is_right_by_itself(const Brought& own, size_t rank, size_t size) {
  for (size_t i = 0; i < own.arrays; ++i) {
    const bool is_right = own.what == Collective::kReduce ? reduces_right(own, i) : fits_by_itself(own, i, rank, size);
    if (!is_right) return false;
  }
  return true;
}

bool Descriptions::assume_same(const Brought& own, size_t size) {
  if (!all_.resize(size)) return false;
  std::fill(all_.begin(), all_.end(), &own);
  return true;
}

bool Descriptions::read(const uint64_t* words, size_t count, Brought& brought) {
  if (count < kHead) return false;
  brought = {
      static_cast<Collective>(words[0]), static_cast<size_t>(words[1]), words[2] != 0, static_cast<size_t>(words[3]),
      static_cast<size_t>(words[4]),     static_cast<size_t>(words[5]), nullptr,       nullptr};
  // Each of them is no more than what there is room for.
  const uint64_t spans = words[3] * words[4];
  if (words[3] > count || (words[3] > 0 && words[4] > count) || words[5] > count || spans + words[5] != count - kHead)
    return false;
  brought.in = spans_.data() + spans_.size();
  brought.out = brought.in + spans;
  for (size_t i = kHead; i < count; ++i) spans_.add_reserved(span_of(words[i]));
  return true;
}

bool Descriptions::gather(const Brought& own, Transport& transport) {
  const size_t rank = transport.rank(), size = transport.size(), inputs = own.terms * own.arrays;
  words_.clear();
  sizes_.clear();
  if (!words_.reserve(kHead + inputs + own.outs) || !sizes_.resize(size)) return false;
  uint64_t head[kHead];
  write_head(own, head);
  for (const uint64_t word : head) words_.add_reserved(word);
  for (size_t i = 0; i < inputs; ++i) words_.add_reserved(word_of(own.in[i]));
  for (size_t i = 0; i < own.outs; ++i) words_.add_reserved(word_of(own.out[i]));
  const uint64_t length = words_.size();
  sizes_[rank] = length;
  for (size_t other = 0; other < size; ++other) {
    if (other == rank) continue;
    if (!transport.receive(0, &sizes_[other], sizeof(uint64_t), other)) return false;
    if (!transport.send(0, &length, sizeof length, other)) return false;
  }
  if (!transport.wait(0)) return false;
  size_t total = 0;
  for (const uint64_t each : sizes_) total += static_cast<size_t>(each);
  if (!received_.resize(total) || !spans_.reserve(total) || !all_.resize(size) || !brought_.resize(size)) return false;
  uint64_t* next = received_.data();
  for (size_t other = 0; other < size; ++other) {
    const size_t bytes = static_cast<size_t>(sizes_[other]) * sizeof(uint64_t);
    if (other != rank && !transport.receive(0, next, bytes, other)) return false;
    if (other != rank && !transport.send(0, words_.data(), words_.size() * sizeof(uint64_t), other)) return false;
    next += sizes_[other];
  }
  if (!transport.wait(0)) return false;
  spans_.clear();
  next = received_.data();
  for (size_t other = 0; other < size; ++other) {
    all_[other] = other == rank ? &own : &brought_[other];
    if (other != rank && !read(next, static_cast<size_t>(sizes_[other]), brought_[other])) return false;
    next += sizes_[other];
  }
  return true;
}

}  // namespace gradstep::mpi

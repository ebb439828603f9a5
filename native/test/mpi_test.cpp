// Collective calls over messages, and how ranks come to them, among threads in the place of processes: no MPI.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../mpi/arrival.h"
#include "../mpi/collectives.h"
#include "../mpi/description.h"
#include "../mpi/search.h"
#include "../mpi/watchdog.h"
#include "check.h"
#include "ranks.h"

using namespace gradstep;
using namespace gradstep::mpi;

namespace {

// What is on its way between each two ranks.
class Net {
 public:
  explicit Net(size_t size) : size_(size), queues_(size * size) {}

  void put(size_t from, size_t to, const void* data, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const char* const first = static_cast<const char*>(data);
    queues_[from * size_ + to].emplace_back(first, first + bytes);
    changed_.notify_all();
  }

  bool take(size_t from, size_t to, void* data, size_t bytes) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::deque<std::vector<char>>& queue = queues_[from * size_ + to];
    changed_.wait(lock, [&] { return !queue.empty(); });
    const bool fits = queue.front().size() == bytes;
    if (fits && bytes > 0) memcpy(data, queue.front().data(), bytes);
    queue.pop_front();
    return fits;
  }

  bool is_empty() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& queue : queues_) {
      if (!queue.empty()) return false;
    }
    return true;
  }

 private:
  const size_t size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::deque<std::vector<char>>> queues_;
};

// Sends when it is told to wait, and not before: what is sent must stay as it is until then.
class Wire final : public Transport {
 public:
  Wire(Net& net, size_t rank, size_t size) : net_(net), rank_(rank), size_(size) {}

  size_t rank() const override { return rank_; }
  size_t size() const override { return size_; }
  bool send(size_t, const void* data, size_t bytes, size_t to) override {
    net_.put(rank_, to, data, bytes);
    return true;
  }
  bool receive(size_t batch, void* data, size_t bytes, size_t from) override {
    waiting_[batch].push_back({data, bytes, from});
    return true;
  }
  bool wait(size_t batch) override {
    bool fits = true;
    for (const Receive& one : waiting_[batch]) fits = net_.take(one.from, rank_, one.data, one.bytes) && fits;
    waiting_[batch].clear();
    return fits;
  }
  bool sum(void*, size_t, Format) override { return false; }
  bool sum_part(const void*, void*, size_t, Format) override { return false; }

 private:
  struct Receive {
    void* data;
    size_t bytes, from;
  };
  Net& net_;
  const size_t rank_, size_;
  std::vector<Receive> waiting_[kBatches];
};

template <class T> std::vector<T> values_of(size_t rank, size_t array, size_t length) {
  std::vector<T> values(length);
  for (size_t i = 0; i < length; ++i) values[i] = static_cast<T>(sin(static_cast<double>(7 * rank + 3 * i + array)));
  if (length > 2) values[1] = static_cast<T>(-0.0);
  if (length > 5 && rank % 2 == 1) values[4] = static_cast<T>(NAN);
  return values;
}

template <class T> Kind kind();
template <> Kind kind<float>() { return Kind::kFloat32; }
template <> Kind kind<double>() { return Kind::kFloat64; }

template <class T> Span span_of(std::vector<T>& values) { return {values.data(), values.size(), kind<T>(), false}; }

template <class T> bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T> std::vector<T> sum_of(size_t size, size_t array, size_t length, bool is_mean) {
  std::vector<T> sum = values_of<T>(0, array, length);
  for (size_t rank = 1; rank < size; ++rank) {
    const std::vector<T> term = values_of<T>(rank, array, length);
    for (size_t i = 0; i < length; ++i) sum[i] += term[i];
  }
  if (is_mean && size > 1) {
    for (T& value : sum) value *= static_cast<T>(1.0 / static_cast<double>(size));
  }
  return sum;
}

// Runs a call as the thread of MPI does, once all have come.
bool run(Wire& wire, const Brought& own) {
  Collectives collectives(wire);
  Descriptions descriptions;
  if (!collectives.prepare() || !descriptions.gather(own, wire)) return false;
  return fault_among(descriptions.all(), wire.size()).empty() && collectives.perform(own, descriptions.all(), true);
}

template <class T> void sums_in_order(size_t size, const std::vector<size_t>& lengths, bool is_mean) {
  Net net(size);
  on_threads(size, [&](size_t rank) {
    Wire wire(net, rank, size);
    std::vector<std::vector<T>> arrays;
    std::vector<Span> in;
    for (size_t i = 0; i < lengths.size(); ++i) arrays.push_back(values_of<T>(rank, i, lengths[i]));
    for (auto& array : arrays) in.push_back(span_of(array));
    bool ok = run(wire, {Collective::kAllReduce, 0, is_mean, 1, lengths.size(), 0, in.data(), nullptr});
    for (size_t i = 0; i < lengths.size(); ++i) ok = ok && same(arrays[i], sum_of<T>(size, i, lengths[i], is_mean));
    check(ok, "all reduce of " + std::to_string(size) + " ranks has the bits of their order");

    std::vector<std::vector<T>> parts;
    std::vector<Span> out;
    for (size_t i = 0; i < lengths.size(); ++i) {
      const std::vector<T> again = values_of<T>(rank, i, lengths[i]);
      std::copy(again.begin(), again.end(), arrays[i].begin());  // where the spans are
      parts.emplace_back(part_start(lengths[i], rank + 1, size) - part_start(lengths[i], rank, size));
    }
    for (auto& part : parts) out.push_back(span_of(part));
    ok = run(wire, {Collective::kReduceScatter, 0, is_mean, 1, lengths.size(), lengths.size(), in.data(), out.data()});
    for (size_t i = 0; i < lengths.size(); ++i) {
      const std::vector<T> all = sum_of<T>(size, i, lengths[i], is_mean);
      const auto first = all.begin() + static_cast<ptrdiff_t>(part_start(lengths[i], rank, size));
      ok = ok && same(parts[i], std::vector<T>(first, first + static_cast<ptrdiff_t>(parts[i].size())));
      ok = ok && same(arrays[i], values_of<T>(rank, i, lengths[i]));
    }
    check(ok, "reduce scatter of " + std::to_string(size) + " ranks has their parts, and leaves what was brought");
  });
  check(net.is_empty(), "nothing is left on the way");
}

// Ranks bring different numbers of terms, some of which are absent.
void reduces_terms_in_order(size_t size, size_t root, size_t length) {
  Net net(size);
  const auto terms_of = [](size_t rank) { return (rank + 2) % 3; };
  const auto is_absent = [](size_t rank, size_t term, size_t i) { return (rank + term + i) % 3 == 1 || i == 2; };
  size_t all_terms = 0;
  for (size_t rank = 0; rank < size; ++rank) all_terms += terms_of(rank);
  on_threads(size, [&](size_t rank) {
    Wire wire(net, rank, size);
    constexpr size_t kArrays = 3;
    std::vector<std::vector<float>> values;
    std::vector<Span> in, out;
    for (size_t term = 0; term < terms_of(rank); ++term) {
      for (size_t i = 0; i < kArrays; ++i) values.push_back(values_of<float>(rank + 10 * term, i, length));
    }
    for (size_t at = 0; at < values.size(); ++at) {
      in.push_back(is_absent(rank, at / kArrays, at % kArrays) ? Span{nullptr, 0, Kind::kFloat32, true}
                                                               : span_of(values[at]));
    }
    std::vector<std::vector<float>> results(kArrays, std::vector<float>(length, 5.0f));
    for (auto& result : results) out.push_back(span_of(result));
    const size_t outs = rank == root ? kArrays : 0;
    bool ok = run(wire, {Collective::kReduce, root, true, terms_of(rank), kArrays, outs, in.data(), out.data()});
    for (size_t i = 0; i < kArrays && rank == root; ++i) {
      std::vector<float> expected(length, 5.0f);
      bool is_first = true;
      for (size_t from = 0; from < size; ++from) {
        for (size_t term = 0; term < terms_of(from); ++term) {
          if (is_absent(from, term, i)) continue;
          const std::vector<float> x = values_of<float>(from + 10 * term, i, length);
          for (size_t j = 0; j < length; ++j) expected[j] = is_first ? x[j] : expected[j] + x[j];
          is_first = false;
        }
      }
      const float factor = static_cast<float>(1.0 / static_cast<double>(all_terms));
      for (float& value : expected) value = is_first ? value : value * factor;
      ok = ok && same(results[i], expected);
    }
    check(ok, "reduce adds terms in the order of ranks, and of each one's terms");
  });
  check(net.is_empty(), "nothing is left on the way");
}

void moves(size_t size, size_t root, const std::vector<size_t>& lengths) {
  Net net(size);
  on_threads(size, [&](size_t rank) {
    Wire wire(net, rank, size);
    std::vector<double> mine = values_of<double>(rank, 0, lengths[rank]), all;
    for (size_t other = 0; other < size; ++other) {
      const std::vector<double> theirs = values_of<double>(other, 0, lengths[other]);
      all.insert(all.end(), theirs.begin(), theirs.end());
    }
    std::vector<double> got(all.size(), 3.0);
    const Span in = span_of(mine), out = span_of(got);
    bool ok = run(wire, {Collective::kAllGather, 0, false, 1, 1, 1, &in, &out}) && same(got, all);
    check(ok, "all gather has all ranks' arrays in their order");
    std::fill(got.begin(), got.end(), 3.0);
    ok = run(wire, {Collective::kGather, root, false, 1, 1, rank == root ? size_t{1} : size_t{0}, &in, &out});
    check(ok && (rank == root ? same(got, all) : got == std::vector<double>(all.size(), 3.0)),
          "gather has them at the root");
    std::vector<double> told = values_of<double>(rank, 1, lengths[0]);
    const Span array = span_of(told);
    ok = run(wire, {Collective::kBroadcast, root, false, 1, 1, 0, &array, nullptr});
    check(ok && same(told, values_of<double>(root, 1, lengths[0])), "broadcast gives what the root has");
  });
  check(net.is_empty(), "nothing is left on the way");
}

void describes() {
  std::vector<float> a(5), b(6);
  const Span five = span_of(a), six = span_of(b);
  const Brought of_five = {Collective::kAllReduce, 0, false, 1, 1, 0, &five, nullptr};
  const Brought of_six = {Collective::kAllReduce, 0, false, 1, 1, 0, &six, nullptr};
  Brought mean = of_five, other = of_five;
  mean.is_mean = true;
  other.what = Collective::kBroadcast;
  check(hash_of(of_five) == hash_of(of_five) && hash_of(of_five) != hash_of(of_six) &&
            hash_of(of_five) != hash_of(mean) && hash_of(of_five) != hash_of(other),
        "what differs has another hash");
  Net net(2);
  on_threads(2, [&](size_t rank) {
    Wire wire(net, rank, 2);
    Descriptions descriptions;
    const bool ok = descriptions.gather(rank == 0 ? of_five : of_six, wire);
    check(ok && fault_among(descriptions.all(), 2) == "array 0 of rank 1 has 6 elements, expected 5",
          "all ranks say the same of what does not fit");
  });
}

// Ranks that run through calls, one of which ends them all somewhere. All are in one thread, so that messages between
// different ranks come in any order.
void all_or_none(uint32_t seed) {
  std::mt19937 random(seed);
  const size_t size = 1 + random() % 7, calls = 1 + random() % 5;
  std::vector<std::deque<Message>> lines(size * size);
  struct Line final : public Post {
    std::vector<std::deque<Message>>* lines;
    size_t from, size;
    Arrival* own;
    void send(size_t to, const Message& message) override {
      if (to == from) own->on(message);
      else (*lines)[from * size + to].push_back(message);
    }
  };
  std::vector<Line> posts(size);
  std::vector<Arrival*> ranks;
  for (size_t rank = 0; rank < size; ++rank) {
    posts[rank].lines = &lines;
    posts[rank].from = rank;
    posts[rank].size = size;
    ranks.push_back(new Arrival(rank, size, posts[rank]));
    posts[rank].own = ranks.back();
    check(ranks.back()->prepare(), "there is memory");
  }
  std::vector<size_t> met(size), gone(size);
  const bool ends = random() % 4 != 0;
  const size_t who = random() % size;
  size_t until_abort = random() % 60, steps = 0;
  bool has_aborted = false, is_uneven = false;
  const size_t odd = random() % 3 == 0 ? random() % size : size;
  while (++steps < 100000) {
    bool is_quiet = true;
    for (size_t rank = 0; rank < size; ++rank) is_quiet = is_quiet && (gone[rank] != 0 || met[rank] == calls);
    for (const auto& line : lines) is_quiet = is_quiet && line.empty();
    if (is_quiet) break;
    if (ends && !has_aborted && until_abort-- == 0) {
      has_aborted = true;
      ranks[who]->abort("enough", static_cast<int>(who));
    }
    const size_t rank = random() % size;
    if (random() % 2 == 0) {
      std::deque<Message>& line = lines[random() % size * size + rank];
      if (line.empty()) continue;
      const Message message = line.front();
      line.pop_front();
      ranks[rank]->on(message);
      continue;
    }
    if (gone[rank] != 0 || met[rank] == calls) continue;
    switch (ranks[rank]->state()) {
      case Arrival::State::kOutside: ranks[rank]->enter(rank == odd ? 7 : 5, false); break;
      case Arrival::State::kWaiting: break;
      case Arrival::State::kMet:
        is_uneven = is_uneven || ranks[rank]->is_same() != (odd == size || size == 1);
        ++met[rank];
        ranks[rank]->leave();
        break;
      case Arrival::State::kBroken: gone[rank] = 1; break;
    }
  }
  bool ok = steps < 100000 && !is_uneven;
  for (size_t rank = 0; rank < size; ++rank) {
    ok = ok && met[rank] == met[0];
    if (gone[rank] != 0)
      ok = ok && ranks[rank]->reason() == "enough" && ranks[rank]->ended_rank() == static_cast<int>(who);
  }
  if (!has_aborted) ok = ok && met[0] == calls;
  check(ok, "a call is met by all or by none, seed " + std::to_string(seed));
  for (Arrival* rank : ranks) delete rank;
}

}  // namespace

int main() {
  for (const size_t size : {1, 2, 3, 4, 5}) {
    for (const bool is_mean : {false, true}) {
      sums_in_order<float>(size, {1, 0, 7, 300}, is_mean);
      sums_in_order<double>(size, {20001, 5, 70000}, is_mean);
    }
    sums_in_order<float>(size, {700001}, false);
    for (size_t root = 0; root < size; ++root) {
      reduces_terms_in_order(size, root, 1000);
      moves(size, root, {3, 0, 40000, 17, 1});
    }
    reduces_terms_in_order(size, size - 1, 300000);
  }
  moves(5, 2, {400000, 3, 0, 1, 200000});
  describes();
  for (uint32_t seed = 1; seed <= 3000; ++seed) all_or_none(seed);
  return report();
}

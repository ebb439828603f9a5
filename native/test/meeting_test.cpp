// Threads that meet, sum and break up, and the guard of steps that several threads make.
#include "../runtime/meeting.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../drivers/collective.h"
#include "../drivers/copies.h"
#include "../runtime/guard.h"
#include "check.h"
#include "ranks.h"

using namespace gradstep;

namespace {

struct Place : MeetingPlace {
  explicit Place(size_t size) : MeetingPlace(size) { check(is_made(), "a meeting is made of memory"); }
};

bool never(void*) { return false; }
bool always(void*) { return true; }
bool when_set(void* flag) { return static_cast<std::atomic<bool>*>(flag)->load(); }

std::vector<float> values_of(size_t rank, size_t length) {
  std::vector<float> values(length);
  for (size_t i = 0; i < length; ++i) values[i] = static_cast<float>(sin(static_cast<double>(7 * rank + 3 * i)));
  return values;
}

Span span_of(std::vector<float>& values) { return {values.data(), values.size(), Kind::kFloat32, false}; }

void sums_in_the_order_of_ranks() {
  for (const size_t size : {1, 2, 3, 5}) {
    Place place(size);
    std::atomic<size_t> right{0};
    constexpr size_t kLength = 10001, kRounds = 50;
    std::vector<float> expected = values_of(0, kLength);
    for (size_t rank = 1; rank < size; ++rank) {
      const std::vector<float> term = values_of(rank, kLength);
      for (size_t i = 0; i < kLength; ++i) expected[i] += term[i];
    }
    on_threads(size, [&](size_t rank) {
      for (size_t round = 0; round < kRounds; ++round) {
        std::vector<float> mine = values_of(rank, kLength);
        const Span in = span_of(mine);
        std::string fault;
        const Brought brought = {Collective::kAllReduce, 0, false, 1, 1, 0, &in, nullptr};
        const Meeting::Outcome outcome = meet(place.meeting(), rank, brought, {never, nullptr}, fault);
        const bool is_right = outcome == Meeting::Outcome::kMet && fault.empty() && mine == expected;
        right += is_right ? 1 : 0;
      }
    });
    check(right == size * kRounds, "a sum of " + std::to_string(size) + " ranks has the bits of their order");
  }
}

void breaks_up_for_all_or_for_none() {
  constexpr size_t kSize = 4, kRounds = 300;
  size_t split = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    Place place(kSize);
    std::atomic<size_t> met[200] = {};
    std::thread breaker([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(round));
      place.meeting().break_up(7);
    });
    on_threads(kSize, [&](size_t rank) {
      for (std::atomic<size_t>& here : met) {
        if (place.meeting().arrive(rank, nullptr, {never, nullptr}) != Meeting::Outcome::kMet) return;
        here++;
        place.meeting().leave();
      }
    });
    breaker.join();
    for (const std::atomic<size_t>& here : met) split += here != 0 && here != kSize ? 1 : 0;
  }
  check(split == 0, "all ranks meet, or none");
}

void lets_the_impatient_go() {
  Place place(2);
  check(place.meeting().arrive(0, nullptr, {always, nullptr}) == Meeting::Outcome::kImpatient, "patience ends");
  check(place.meeting().arrive(1, nullptr, {never, nullptr}) == Meeting::Outcome::kBroken, "and the meeting with it");
  Place other(2);
  std::atomic<bool> flag{false};
  std::atomic<int> impatient{0};
  std::thread waiting([&] {
    impatient += other.meeting().arrive(0, nullptr, {when_set, &flag}) == Meeting::Outcome::kImpatient ? 1 : 0;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  flag = true;
  waiting.join();
  check(impatient == 1, "a thread that sleeps notices that its patience is over");
}

void keeps_the_first_reason() {
  Place place(3);
  place.meeting().break_up(5);
  place.meeting().break_up(6);
  check(place.meeting().reason() == 5, "the first reason stays");
  check(Meeting::at(place.start(), 8) == nullptr, "too little memory is no meeting");
  std::vector<uint64_t> zeros(100);
  check(Meeting::at(zeros.data(), 800) == nullptr, "nor is what was not made one");
}

void tells_all_what_does_not_fit() {
  Place place(2);
  std::string faults[2];
  on_threads(2, [&](size_t rank) {
    std::vector<float> mine = values_of(rank, 5 + rank);
    const Span in = span_of(mine);
    const Brought brought = {Collective::kAllReduce, 0, false, 1, 1, 0, &in, nullptr};
    (void)meet(place.meeting(), rank, brought, {never, nullptr}, faults[rank]);
  });
  check(!faults[0].empty() && faults[0] == faults[1], "both ranks are told the same of other lengths");
}

void steps_exclude_each_other_and_are_counted() {
  uint32_t words[2] = {0, 0};
  Guard& guard = *Guard::at(words, sizeof words);
  size_t sum = 0;
  on_threads(4, [&](size_t) {
    for (int i = 0; i < 5000; ++i) {
      if (!guard.lock({never, nullptr})) continue;
      if (guard.count(12000)) ++sum;
      guard.unlock();
    }
  });
  check(sum == 12000 && guard.version() == 12000, "no step is lost, and there are no more than there may be");
  check(guard.lock({never, nullptr}) && !guard.lock({always, nullptr}), "a lock that is taken is waited for");
  guard.unlock();
}

void copies_have_all_bytes_and_no_more() {
  constexpr size_t kLargest = (3 << 20) + 5;
  const size_t sizes[] = {0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, kLargest, 7};
  std::vector<std::vector<char>> from, to;
  Copies copies;
  bool is_added = true;
  for (const size_t size : sizes) {
    from.emplace_back(size + 1);
    for (size_t i = 0; i <= size; ++i) from.back()[i] = static_cast<char>(i % 251 + size);
    to.emplace_back(size + 1, static_cast<char>(~from.back()[size]));
    is_added = copies.add(to.back().data(), from.back().data(), size) && is_added;
  }
  copies.run();
  bool is_same = is_added, has_more = false;
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t size = sizes[i];
    is_same = is_same && memcmp(from[i].data(), to[i].data(), size) == 0;
    has_more = has_more || from[i][size] == to[i][size];
  }
  check(is_same, "copies have all bytes");
  check(!has_more, "and no more");
}

}  // namespace

int main() {
  sums_in_the_order_of_ranks();
  breaks_up_for_all_or_for_none();
  lets_the_impatient_go();
  keeps_the_first_reason();
  tells_all_what_does_not_fit();
  steps_exclude_each_other_and_are_counted();
  copies_have_all_bytes_and_no_more();
  return report();
}

#include "program_exchange.h"

#include <string.h>

#include <algorithm>

#include "../runtime/text.h"
#include "elementwise.h"
#include "product.h"

namespace gradstep {
namespace {

constexpr int32_t kNoRow = -1;
constexpr size_t kMostBytes = size_t(1) << 46;

template <class F> void with_type(Format format, F f) {
  switch (format) {
    case Format::float32: return f(float());
    case Format::float64: return f(double());
  }
}

// FNV-1a over numbers.
class Hash {
 public:
  Hash& operator<<(uint64_t number) {
    for (size_t byte = 0; byte < 8; ++byte) value_ = (value_ ^ (number >> 8 * byte & 0xFF)) * 0x100000001b3;
    return *this;
  }
  Hash& operator<<(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return *this << bits;
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

size_t bytes_of(const ProgramGradient& gradient, size_t rows) {
  const Product bytes = Product(rows) * gradient.row_elements * kFormatBytes[static_cast<size_t>(gradient.format)];
  return bytes.at_most(kMostBytes) ? rows * gradient.row_elements * kFormatBytes[static_cast<size_t>(gradient.format)]
                                   : SIZE_MAX;
}

// Places that follow each other, each on cache lines of its own.
class Layout {
 public:
  size_t take(size_t bytes) {
    const size_t at = size_;
    good_ = good_ && bytes <= kMostBytes && size_ <= kMostBytes;
    if (good_) size_ += (bytes + 63) / 64 * 64;
    return at;
  }
  bool good() const { return good_; }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
  bool good_ = true;
};

}  // namespace

// What all ranks must have alike for a step to have a meaning.
uint64_t ProgramExchange::hash_of(const GradientTail& tail, size_t repetitions, const Buffer<size_t>& bounds) const {
  Hash hash;
  hash << uint64_t{ranks} << uint64_t{unscales_first} << uint64_t{repetitions} << uint64_t{tail.accumulates};
  hash << static_cast<uint64_t>(tail.clip) << tail.clip_norm << uint64_t{tail.checks_finite} << uint64_t{tail.has_step};
  for (const ProgramGradient& gradient : tail.gradients) {
    hash << static_cast<uint64_t>(gradient.format) << uint64_t{gradient.count} << uint64_t{gradient.list_length};
    hash << uint64_t{gradient.rows} << uint64_t{gradient.row_elements};
  }
  for (const GradientSend& send : sends) {
    hash << uint64_t{send.is_rows} << uint64_t{send.count} << uint64_t{send.members};
    for (size_t k = 0; k < send.members; ++k) {
      hash << uint64_t{sent[send.first + k].gradient} << uint64_t{sent[send.first + k].offset};
    }
  }
  for (const size_t bound : bounds) hash << uint64_t{bound};
  return hash.value();
}

bool ProgramExchange::reserve(const GradientTail& tail, size_t repetitions, const Buffer<size_t>& bounds) {
  hash_ = hash_of(tail, repetitions, bounds);
  return hashes_.resize(ranks) && told_.resize(ranks) && whys_.resize(ranks) && reserve_rows(tail) &&
         reserve_sums(tail);
}

// Where rows go: all ranks' values, their sums and these in order; indices.
bool ProgramExchange::reserve_rows(const GradientTail& tail) {
  Layout values;
  for (GradientSend& send : sends) {
    if (!send.is_rows) continue;
    const ProgramGradient& gradient = gradient_of(send, tail);
    send.rows = tail.accumulates ? gradient.most_rows : gradient.list_length;
    if (!(Product(send.rows) * ranks).at_most(kMostBytes)) return false;
    send.most_rows = std::min(send.rows * ranks, gradient.rows);
    send.gathered = values.take(bytes_of(gradient, send.rows * ranks));
    send.whole = values.take(bytes_of(gradient, send.most_rows));
    send.sorted = values.take(bytes_of(gradient, send.most_rows));
    send.sent = indices_.size();
    if (!indices_.extend(send.rows + send.rows * ranks)) return false;
  }
  if (!values.good() || !values_.resize(values.size())) return false;
  if (values.size() > 0) memset(values_.data(), 0, values.size());
  return true;
}

bool ProgramExchange::reserve_sums(const GradientTail& tail) {
  size_t most_at_once = 0;
  for (const GradientSend& send : sends) {
    if (!send.is_rows) continue;
    // One row more than needed: what has none is still one of rows.
    if (!positions_.extend(gradient_of(send, tail).rows) || !order_.extend(send.most_rows + 1)) return false;
    most_at_once = std::max({most_at_once, send.rows, send.most_rows});
  }
  if (!at_.resize(most_at_once)) return false;
  std::fill(positions_.begin(), positions_.end(), -1);
  int32_t *next_position = positions_.data(), *next_row = order_.data();
  for (GradientSend& send : sends) {
    if (!send.is_rows) continue;
    send.sums = {next_position, next_row, at_.data(), 0};
    next_position += gradient_of(send, tail).rows;
    next_row += send.most_rows + 1;
  }
  return true;
}

const ProgramGradient& ProgramExchange::gradient_of(const GradientSend& rows, const GradientTail& tail) const {
  return tail.gradients[sent[rows.first].gradient];
}

void ProgramExchange::tell(Problem problem, size_t rank, const std::string& what) {
  problem_ = problem;
  put_text(text_, "rank " + std::to_string(rank) + " " + what);
}

void ProgramExchange::begin(Exchange& exchange) {
  exchange_ = &exchange;
  problem_ = Problem::none;
  has_compared_ = false;
  why_ = {};
  exchange.start_gather(&hash_, sizeof hash_, hashes_.data());
}

void ProgramExchange::be_absent(const char* why) { put_text(why_.text, why); }

bool ProgramExchange::wait() {
  const char* const why = exchange_->wait();
  if (why == nullptr) return true;
  problem_ = Problem::aborted;
  put_text(text_, why);
  return false;
}

// Before anything is sent whose length depends on the program.
bool ProgramExchange::are_alike() {
  if (has_compared_) return problem_ == Problem::none;
  has_compared_ = true;
  if (!wait()) return false;
  for (size_t rank = 1; rank < ranks; ++rank) {
    if (hashes_[rank] == hashes_[0]) continue;
    tell(Problem::unlike, rank, "runs another compiled step than rank 0: its gradients, clipping or parts differ");
    return false;
  }
  return true;
}

bool ProgramExchange::send(const GradientSend& what, const GradientTail& tail, const TaskContext& context,
                           bool is_lost) {
  if (!are_alike()) return false;
  if (what.is_rows) {
    const size_t number = sent[what.first].gradient;
    const ProgramGradient& gradient = tail.gradients[number];
    // Nobody looks at these: what lies where they go.
    char* const any = values_.data() + what.gathered + exchange_->rank() * bytes_of(gradient, what.rows);
    send_rows(what, is_lost ? GradientNow{any, 0, 1, nullptr, 0} : tail.now(number), gradient);
    return true;
  }
  with_type(what.format, [&](auto t) {
    using T = decltype(t);
    T* const start = context.at<T>(what.at);
    for (size_t k = what.first; k < what.first + what.members && !is_lost; ++k) {
      const GradientNow& now = tail.now(sent[k].gradient);
      T* const place = start + sent[k].offset;
      if (now.values != place || now.factor != 1)
        scale(place, static_cast<const T*>(now.values), now.factor, now.count);
    }
    exchange_->start_sum(start, what.count, what.format);
  });
  return true;
}

// Always as many rows: where this rank has fewer, others are told that the rest are none.
void ProgramExchange::send_rows(const GradientSend& what, const GradientNow& now, const ProgramGradient& gradient) {
  int32_t* const indices = indices_.data() + what.sent;
  const size_t count = std::min(now.row_count, what.rows);
  if (count > 0) std::copy(now.rows, now.rows + count, indices);
  std::fill(indices + count, indices + what.rows, kNoRow);
  with_type(gradient.format, [&](auto t) {
    using T = decltype(t);
    T* const values = static_cast<T*>(now.values);
    if (now.factor != 1) scale(values, values, now.factor, now.count);
  });
  exchange_->start_gather(now.values, bytes_of(gradient, what.rows), values_.data() + what.gathered);
  exchange_->start_gather(indices, what.rows * sizeof(int32_t), indices + what.rows);
}

// False for rows that there are not: what comes from others is not believed.
bool ProgramExchange::sum_rows(GradientSend& what, GradientTail& tail) {
  const size_t number = sent[what.first].gradient, columns = tail.gradients[number].row_elements;
  const size_t limit = tail.gradients[number].rows;
  const int32_t* const indices = indices_.data() + what.sent + what.rows;
  what.sums.clear();
  bool is_good = true;
  with_type(tail.gradients[number].format, [&](auto t) {
    using T = decltype(t);
    const T* const values = reinterpret_cast<const T*>(values_.data() + what.gathered);
    T* const whole = reinterpret_cast<T*>(values_.data() + what.whole);
    T* const sorted = reinterpret_cast<T*>(values_.data() + what.sorted);
    if (what.most_rows > 0) memset(whole, 0, what.most_rows * columns * sizeof(T));
    for (size_t rank = 0; rank < ranks; ++rank) {
      const int32_t* const rows = indices + rank * what.rows;
      const size_t count = static_cast<size_t>(std::find(rows, rows + what.rows, kNoRow) - rows);
      for (size_t k = 0; k < count; ++k) is_good = is_good && rows[k] >= 0 && static_cast<size_t>(rows[k]) < limit;
      if (!is_good) return tell(Problem::unlike, rank, "has sent rows that the variable does not have");
      what.sums.add(whole, values + rank * what.rows * columns, rows, count, columns, 1);
    }
    const size_t count = what.sums.take(sorted, whole, columns);
    tail.put(number, {sorted, count * columns, 1, what.sums.order, count});
  });
  return is_good;
}

void ProgramExchange::put_sums(const GradientSend& what, GradientTail& tail, const TaskContext& context) const {
  char* const start = context.at<char>(what.at);
  for (size_t k = what.first; k < what.first + what.members; ++k) {
    const ProgramGradient& gradient = tail.gradients[sent[k].gradient];
    const size_t bytes = sent[k].offset * kFormatBytes[static_cast<size_t>(gradient.format)];
    tail.put(sent[k].gradient, {start + bytes, gradient.count, 1, nullptr, 0});
  }
}

// Where a rank is absent all tell each other why, in words.
bool ProgramExchange::learn_whys() {
  const auto is_absent = [](const Told& told) { return told.status == static_cast<uint64_t>(TaskStatus::absent); };
  if (std::none_of(told_.begin(), told_.end(), is_absent)) return true;
  exchange_->start_gather(&why_, sizeof why_, whys_.data());
  if (!wait()) return false;
  for (Why& why : whys_) why.text[sizeof why.text - 1] = 0;  // whatever others have sent
  return true;
}

std::string ProgramExchange::trouble_of(size_t rank) const {
  switch (static_cast<TaskStatus>(told_[rank].status)) {
    case TaskStatus::bad_index: return "an index that was computed is out of range";
    case TaskStatus::absent: return whys_[rank].text;
    default: return "out of memory";
  }
}

TaskStatus ProgramExchange::end(TaskStatus status, double& loss, GradientTail& tail, const TaskContext& context) {
  if (!are_alike()) return TaskStatus::not_exchanged;
  own_ = {static_cast<uint64_t>(status), loss};
  exchange_->start_gather(&own_, sizeof own_, told_.data());
  if (!wait() || !learn_whys()) return TaskStatus::not_exchanged;
  if (status != TaskStatus::done) return status;
  double sum = 0;
  for (size_t rank = 0; rank < ranks; ++rank) {
    sum += told_[rank].loss;
    if (told_[rank].status == static_cast<uint64_t>(TaskStatus::done)) continue;
    tell(Problem::left_out, rank, "has no gradients for this step: " + trouble_of(rank));
    return TaskStatus::not_exchanged;
  }
  const double factor = 1 / static_cast<double>(ranks);
  loss = sum * factor;
  for (GradientSend& send : sends) {
    if (!send.is_rows) put_sums(send, tail, context);
    else if (!sum_rows(send, tail)) return TaskStatus::not_exchanged;
    for (size_t k = send.first; k < send.first + send.members; ++k) tail.times(sent[k].gradient, factor);
  }
  return TaskStatus::done;
}

TaskStatus ProgramExchange::agree(TaskStatus status) {
  own_ = {static_cast<uint64_t>(status), 0};
  exchange_->start_gather(&own_, sizeof own_, told_.data());
  if (!wait()) return TaskStatus::not_exchanged;
  if (status != TaskStatus::done) return status;
  for (size_t rank = 0; rank < ranks; ++rank) {
    if (told_[rank].status == static_cast<uint64_t>(TaskStatus::done)) continue;
    tell(Problem::left_out, rank, "has not made its part of the step: out of memory");
    return TaskStatus::not_exchanged;
  }
  return TaskStatus::done;
}

TaskStatus ProgramExchange::share(const WhenCertain& make, const Buffer<Piece>& pieces) {
  const char* const why = exchange_->gather_made(make, pieces.data(), pieces.size());
  if (why == nullptr) return TaskStatus::done;
  problem_ = Problem::aborted;
  put_text(text_, why);
  return TaskStatus::not_exchanged;
}

bool ProgramExchange::most_rows(const GradientTail& tail, Buffer<size_t>& most) const {
  if (!most.resize(tail.gradients.size())) return false;
  std::fill(most.begin(), most.end(), 0);
  for (const GradientSend& send : sends) {
    if (send.is_rows) most[sent[send.first].gradient] = send.most_rows;
  }
  return true;
}

}  // namespace gradstep

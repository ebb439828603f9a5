#include "program.h"

#include <string.h>

#include <algorithm>

#include "product.h"
#include "table_reader.h"

namespace gradstep {
namespace {

constexpr size_t kMostRepeats = size_t(1) << 20, kMostDraws = size_t(1) << 28, kMostIndices = size_t(1) << 40;
constexpr size_t kMostRanks = size_t(1) << 20;

}  // namespace

class Program::Parser {
 public:
  Parser(Program& program, const double* table, size_t length) : program_(program), reader_(table, length) {}

  const char* parse() {
    const char* (Parser::* const parts[])() = {&Parser::places, &Parser::lists,     &Parser::constants,
                                               &Parser::tasks,  &Parser::gradients, &Parser::exchange,
                                               &Parser::memory};
    for (const auto part : parts) {
      const char* const problem = (this->*part)();
      if (problem != nullptr) return problem;
    }
    return nullptr;
  }

 private:
  const char* places() {
    const size_t arena = reader_.whole();
    program_.repeats_ = reader_.whole();
    program_.draws_each_ = reader_.whole();
    const size_t count = reader_.count(4);
    if (!reader_.good || program_.repeats_ == 0 || program_.repeats_ > kMostRepeats ||
        program_.draws_each_ > kMostDraws / program_.repeats_) {
      return "a program must begin with the bytes of its arena, repetitions, draws and places";
    }
    if (!program_.draws_.resize(program_.repeats_ * program_.draws_each_)) return kNoMemory;
    std::fill(program_.draws_.begin(), program_.draws_.end(), Draw{});
    // Zeroed, although no task reads what none has written: a program that was put together wrongly shows no secrets.
    if (!program_.arena_.resize(std::max<size_t>(arena, 1)) || !program_.places_.reserve(count + 1)) return kNoMemory;
    memset(program_.arena_.data(), 0, arena);
    program_.places_.add_reserved({arena, 0, false, 0});
    for (size_t i = 0; i < count; ++i) {
      ProgramPlace place = {};
      place.bytes = reader_.whole();
      place.stride = reader_.whole();
      place.is_given = reader_.flag();
      place.kind = reader_.below(kPlaceKinds);
      const Product reach = Product(place.stride) * program_.repeats_ + place.bytes;
      const size_t element = place_element_bytes(place.kind);
      const bool is_whole = place.bytes % element == 0 && place.stride % element == 0;
      if (!reader_.good || !reach.at_most(SIZE_MAX / 2) || !is_whole) return "a place of a program is out of range";
      program_.places_.add_reserved(place);
    }
    return nullptr;
  }

  const char* lists() {
    constexpr const char* kProblem = "a list of indices of a program is out of range";
    const size_t count = reader_.count(4);
    if (!reader_.good) return kProblem;
    if (!program_.lists_.reserve(count)) return kNoMemory;
    size_t first = 0;
    for (size_t i = 0; i < count; ++i) {
      IndexList list = {};
      list.length = reader_.whole();
      list.stride = reader_.whole();
      list.limit = reader_.whole();
      list.parts = reader_.count(1);
      list.first = first;
      list.part = program_.index_parts_.size();
      size_t length = 0;
      for (size_t k = 0; k < list.parts && reader_.good; ++k) {
        const size_t part = reader_.below(i);
        if (!reader_.good || program_.lists_[part].limit > list.limit) return kProblem;
        length += program_.lists_[part].length;
        if (!program_.index_parts_.add(part)) return kNoMemory;
      }
      const Product reach = Product(list.stride) * (program_.repeats_ - 1) + list.length + first;
      if (!reader_.good || !reach.at_most(kMostIndices) || (list.parts > 0 && length != list.length)) return kProblem;
      first += list.length + list.stride * (program_.repeats_ - 1);
      program_.lists_.add_reserved(list);
    }
    // One more than needed, so that a list without elements has an address.
    return program_.indices_.resize(first + 1) ? nullptr : kNoMemory;
  }

  const char* constants() {
    const size_t count = reader_.count(3);
    for (size_t i = 0; i < count; ++i) {
      const Format format = static_cast<Format>(reader_.below(kFormatCount));
      const Operand to = {0, reader_.whole()};
      const size_t length = reader_.count(1);
      if (!reader_.good || !fits(to, format, length)) return "a constant of a program is out of range";
      for (size_t k = 0; k < length; ++k) {
        const double value = reader_.number();
        char* const at = program_.arena_.data() + to.offset;
        if (format == Format::float32) reinterpret_cast<float*>(at)[k] = static_cast<float>(value);
        else reinterpret_cast<double*>(at)[k] = value;
      }
    }
    return reader_.good ? nullptr : "the constants of a program must have a count";
  }

  // Those before the update, then those after it.
  const char* tasks() {
    for (int part = 0; part < 2; ++part) {
      const size_t from = program_.tasks_.size(), count = reader_.count(4);
      if (!reader_.good) return "the tasks of a program must have a count";
      for (size_t i = 0; i < count; ++i) {
        const char* const problem = task();
        if (problem != nullptr) return problem;
      }
      if (!program_.segments_.reserve(program_.tasks_.size())) return kNoMemory;
      program_.link_chains(from, program_.tasks_.size());
      if (part == 0) program_.segments_before_ = program_.segments_.size();
    }
    return nullptr;
  }

  const char* task() {
    constexpr const char* kProblem = "a task of a program is out of range";
    Task task = {};
    const size_t kind = reader_.below(kTaskKindCount);
    const TaskForm& form = kTaskForms[kind];
    task.kind = static_cast<TaskKind>(kind);
    task.format = static_cast<Format>(reader_.below(kFormatCount));
    task.option = reader_.whole();
    for (size_t i = 0; i < form.arrays; ++i) task.arrays[i] = operand();
    for (size_t i = 0; i < form.sizes; ++i) task.sizes[i] = reader_.whole();
    for (size_t i = 0; i < form.numbers; ++i) task.numbers[i] = reader_.number();
    const size_t items = reader_.count(1);
    if (!reader_.good) return kProblem;
    bool found_memory = true;
    const bool good = check(task, items, found_memory) && reader_.good;
    if (!found_memory || (good && !program_.tasks_.add(task))) return kNoMemory;
    return good ? nullptr : kProblem;
  }

  Operand operand() {
    const size_t place = reader_.below(program_.places_.size());
    return {place, reader_.whole()};
  }

  // Whether so many elements lie there.
  bool fits(const Operand& at, Format format, const Product& count) const {
    const size_t element = kFormatBytes[static_cast<size_t>(format)];
    return at.offset % element == 0 && (count * element + at.offset).at_most(program_.places_[at.place].bytes);
  }

  // Reads the items at a task's end. Whether arrays, sizes, option and items go together.
  bool check(Task& task, size_t items, bool& found_memory) {
    const auto fit = [&](size_t i, const Product& count) { return fits(task.arrays[i], task.format, count); };
    const auto all_fit = [&](size_t arrays, const Product& count) {
      bool good = true;
      for (size_t i = 0; i < arrays; ++i) good = good && fit(i, count);
      return good;
    };
    const size_t* const n = task.sizes;
    const bool is_plain = items == 0 && task.option == 0;
    switch (task.kind) {
      case TaskKind::fill: return is_plain && fit(0, n[0]);
      case TaskKind::repeat: return is_plain && fit(0, n[0]) && fit(1, 1);
      case TaskKind::copy:
      case TaskKind::addScaled:
      case TaskKind::scale:
      case TaskKind::clipByValue: return is_plain && all_fit(2, n[0]);
      case TaskKind::unary: return items == 0 && task.option < kUnaryCount && all_fit(2, n[0]);
      case TaskKind::binary: {
        task.count = reader_.below(3);
        const Operands operands = static_cast<Operands>(task.count);
        return items == 1 && task.option < kBinaryCount && fit(0, n[0]) &&
               fit(1, operands == Operands::scalar_a ? 1 : n[0]) && fit(2, operands == Operands::scalar_b ? 1 : n[0]);
      }
      case TaskKind::binaryBroadcast: return task.option < kBinaryCount && broadcast(task, items, found_memory);
      case TaskKind::permute: return task.option == 0 && layout(task, items, found_memory);
      case TaskKind::sum: return is_plain && fit(0, Product(n[0]) * n[2]) && fit(1, Product(n[0]) * n[1] * n[2]);
      case TaskKind::softmax:
      case TaskKind::logSoftmax: return is_plain && all_fit(2, Product(n[0]) * n[1]);
      case TaskKind::softmaxGradient:
      case TaskKind::logSoftmaxGradient: return is_plain && all_fit(3, Product(n[0]) * n[1]);
      case TaskKind::softmaxCrossEntropy:
        return is_plain && fit(0, n[0]) && all_fit(4, n[0]) && fit(1, Product(n[0]) * n[1]) &&
               fit(2, Product(n[0]) * n[1]) && fit(3, Product(n[0]) * n[1]);
      case TaskKind::sparseSoftmaxCrossEntropy:
        return fit(0, n[0]) && fit(1, Product(n[0]) * n[1]) && fit(2, Product(n[0]) * n[1]) &&
               list(task, items, n[0], n[1]);
      case TaskKind::scaleRows:
        return is_plain && fit(0, Product(n[0]) * n[1]) && fit(1, Product(n[0]) * n[1]) && fit(2, n[0]);
      case TaskKind::gather:
        return fit(0, Product(n[0]) * n[2]) && fit(1, Product(n[1]) * n[2]) && list(task, items, n[0], n[1]);
      case TaskKind::scatterAdd:
        return fit(0, Product(n[1]) * n[2]) && fit(1, Product(n[0]) * n[2]) && list(task, items, n[0], n[1]);
      case TaskKind::gemm:
        return items == 0 && task.option < kGemmOptions && fit(0, Product(n[0]) * n[1]) &&
               fit(1, Product(n[0]) * n[2]) && fit(2, Product(n[2]) * n[1]) &&
               (!(task.option & kWithBias) || fit(3, n[1]));
      case TaskKind::addN: return task.option == 0 && fit(0, n[0]) && terms(task, items, found_memory);
      case TaskKind::randomUniform:
        return task.option == 0 && draw(task, items) && fit(0, n[0]) && task.numbers[0] < task.numbers[1];
      case TaskKind::randomNormal: return task.option <= 1 && draw(task, items) && fit(0, n[0]);
      case TaskKind::randomBernoulli:
        return task.option == 0 && draw(task, items) && fit(0, n[0]) && task.numbers[0] >= 0 && task.numbers[0] <= 1;
      case TaskKind::dropout:
        return task.option == 0 && draw(task, items) && all_fit(2, n[0]) && task.numbers[0] >= 0 && task.numbers[0] < 1;
      case TaskKind::sumOfSquares: return is_plain && fit(0, 1) && fit(1, n[0]);
      default: return of_family(task, items, found_memory);
    }
  }

  bool of_family(Task& task, size_t items, bool& found_memory) {
    Buffer<size_t>& layouts = program_.task_lists_.layouts;
    task.list = layouts.size();
    task.count = items;
    for (size_t i = 0; i < items; ++i) found_memory = layouts.add(reader_.whole()) && found_memory;
    if (!found_memory || !reader_.good) return false;
    TaskRoom room = {};
    room.format = task.format;
    room.draws = program_.draws_each_;
    for (size_t i = 0; i < kTaskForms[static_cast<size_t>(task.kind)].arrays; ++i) {
      const Operand& at = task.arrays[i];
      const size_t bytes = program_.places_[at.place].bytes;
      room.bytes[i] = at.offset <= bytes ? bytes - at.offset : 0;
      room.phase[i] = at.offset % 64;
    }
    return task_fits(task, room, layouts.data() + task.list);
  }

  // The list of indices of a task that has so many, each below `limit`.
  bool list(Task& task, size_t items, size_t length, size_t limit) {
    task.list = reader_.below(program_.lists_.size());
    return items == 1 && task.option == 0 && reader_.good && program_.lists_[task.list].length == length &&
           program_.lists_[task.list].limit <= limit;
  }

  bool draw(Task& task, size_t items) {
    task.list = reader_.below(program_.draws_each_);
    return items == 1 && reader_.good;
  }

  bool terms(Task& task, size_t items, bool& found_memory) {
    task.list = program_.task_lists_.terms.size();
    task.count = items / 2;
    bool good = items % 2 == 0 && items > 0;
    for (size_t t = 0; t < task.count; ++t) {
      const Operand term = operand();
      good = good && reader_.good && fits(term, task.format, task.sizes[0]);
      found_memory = found_memory && program_.task_lists_.terms.add(term);
    }
    return good;
  }

  // Dims and strides: the last offset that they reach lies inside of what is there.
  bool reaches(const size_t* dims, const size_t* strides, size_t rank, const Task& task, size_t array) const {
    Product last = 0;
    for (size_t d = 0; d < rank; ++d) {
      if (dims[d] == 0) return true;
      last = last + Product(dims[d] - 1) * strides[d];
    }
    return fits(task.arrays[array], task.format, last + 1);
  }

  static Product product(const size_t* dims, size_t rank) {
    Product result = 1;
    for (size_t d = 0; d < rank; ++d) result = result * dims[d];
    return result;
  }

  bool broadcast(Task& task, size_t items, bool& found_memory) {
    Broadcast shape = {};
    shape.rank = items / 3;
    if (items % 3 != 0 || shape.rank == 0 || shape.rank > kMaxRank) return false;
    for (size_t* const list : {shape.dims, shape.a_strides, shape.b_strides}) {
      for (size_t d = 0; d < shape.rank; ++d) list[d] = reader_.whole();
    }
    const size_t last = shape.rank - 1;
    if (!reader_.good || shape.a_strides[last] > 1 || shape.b_strides[last] > 1) return false;
    task.list = program_.task_lists_.broadcasts.size();
    found_memory = program_.task_lists_.broadcasts.add(shape);
    return fits(task.arrays[0], task.format, product(shape.dims, shape.rank)) &&
           reaches(shape.dims, shape.a_strides, shape.rank, task, 1) &&
           reaches(shape.dims, shape.b_strides, shape.rank, task, 2);
  }

  bool layout(Task& task, size_t items, bool& found_memory) {
    Buffer<size_t>& layouts = program_.task_lists_.layouts;
    task.list = layouts.size();
    task.count = items / 2;
    if (items % 2 != 0) return false;
    for (size_t i = 0; i < items; ++i) found_memory = layouts.add(reader_.whole()) && found_memory;
    if (!found_memory || !reader_.good) return false;
    const size_t* const dims = layouts.data() + task.list;
    return fits(task.arrays[0], task.format, product(dims, task.count)) &&
           reaches(dims, dims + task.count, task.count, task, 1);
  }

  // The loss, what becomes of the gradients, and the gradients.
  const char* gradients() {
    constexpr const char* kProblem = "a gradient of a program, or its loss, is out of range";
    GradientTail& tail = program_.tail_;
    program_.loss_.format = static_cast<Format>(reader_.below(kFormatCount));
    program_.loss_.values = operand();
    program_.loss_.count = reader_.whole();
    if (!reader_.good || !fits(program_.loss_.values, program_.loss_.format, program_.loss_.count)) return kProblem;
    tail.accumulates = reader_.flag();
    tail.clip = static_cast<Clip>(reader_.below(kClipCount));
    tail.clip_norm = reader_.number();
    tail.checks_finite = reader_.flag();
    tail.has_step = reader_.flag();
    const size_t count = reader_.count(4);
    if (!reader_.good || (program_.repeats_ > 1 && !tail.accumulates)) return kProblem;
    if (!tail.gradients.reserve(count)) return kNoMemory;
    for (size_t i = 0; i < count; ++i) {
      ProgramGradient gradient = {};
      if (!gradient_fits(gradient)) return kProblem;
      tail.gradients.add_reserved(gradient);
    }
    return nullptr;
  }

  // How gradients go to other ranks, in a program that has some: each gradient once.
  const char* exchange() {
    constexpr const char* kProblem = "what a program exchanges is out of range";
    if (reader_.is_at_end()) return nullptr;
    ProgramExchange& exchange = program_.exchange_;
    Buffer<size_t> times;
    if (!times.resize(program_.tail_.gradients.size())) return kNoMemory;
    std::fill(times.begin(), times.end(), 0);
    exchange.ranks = reader_.whole();
    exchange.unscales_first = reader_.flag();
    const size_t count = reader_.count(3);
    if (!reader_.good || exchange.ranks == 0 || exchange.ranks > kMostRanks) return kProblem;
    if (!exchange.sends.reserve(count) || !exchange.sent.reserve(program_.tail_.gradients.size())) return kNoMemory;
    for (size_t i = 0, from = 0; i < count; ++i) {
      GradientSend send = {};
      if (!send_fits(send, times, from)) return kProblem;
      exchange.sends.add_reserved(send);
      from = send.ready;
    }
    for (const size_t n : times) reader_.good = reader_.good && n == 1;
    if (!reader_.good) return kProblem;
    return reader_.is_at_end() ? nullptr : shards();
  }

  // How the step is divided among ranks, in a program whose step is.
  const char* shards() {
    constexpr const char* kProblem = "what a program divides is out of range";
    ProgramShards& shards = program_.shards_;
    const size_t ranks = program_.exchange_.ranks, count = program_.tail_.gradients.size();
    shards.rank = reader_.below(ranks);
    if (!reader_.good || !program_.tail_.has_step) return kProblem;
    if (!shards.list.reserve(count)) return kNoMemory;
    for (size_t i = 0; i < count; ++i) {
      const ProgramGradient& gradient = program_.tail_.gradients[i];
      ProgramShard shard = {};
      shard.whole = operand();
      shard.width = kFormatBytes[static_cast<size_t>(gradient.format)];
      shard.bounds = shards.bounds.size();
      size_t end = 0;
      for (size_t k = 0; k <= ranks && reader_.good; ++k) {
        const size_t bound = reader_.whole();
        reader_.good = reader_.good && bound >= end && (k > 0 || bound == 0);
        end = bound;
        if (!shards.bounds.add(bound)) return kNoMemory;
      }
      const Product length = gradient.is_dense() ? gradient.count : Product(gradient.rows) * gradient.row_elements;
      if (!reader_.good || !length.is(end) || !fits(shard.whole, gradient.format, length)) return kProblem;
      shards.list.add_reserved(shard);
    }
    return reader_.is_at_end() ? nullptr : "a program must be as long as its counts say";
  }

  bool send_fits(GradientSend& send, Buffer<size_t>& times, size_t from) {
    ProgramExchange& exchange = program_.exchange_;
    const size_t ready = reader_.whole();
    send.is_rows = reader_.flag();
    send.first = exchange.sent.size();
    if (!send.is_rows) {
      send.format = static_cast<Format>(reader_.below(kFormatCount));
      send.at = {0, reader_.whole()};
      send.count = reader_.whole();
      if (!fits(send.at, send.format, send.count)) return false;
    }
    send.members = send.is_rows ? 1 : reader_.count(2);
    size_t end = 0;
    for (size_t k = 0; k < send.members && reader_.good; ++k) {
      const size_t number = reader_.below(times.size() + 1), offset = send.is_rows ? 0 : reader_.whole();
      if (!reader_.good || number == times.size() || times[number]++ > 0) return false;
      const ProgramGradient& gradient = program_.tail_.gradients[number];
      if (gradient.is_dense() == send.is_rows) return false;
      exchange.sent.add_reserved({number, offset});
      if (send.is_rows) continue;
      if (gradient.format != send.format || offset < end || !(Product(offset) + gradient.count).at_most(send.count))
        return false;
      end = offset + gradient.count;
    }
    send.ready = segments_until(ready);
    return reader_.good && send.ready >= from && send.ready <= program_.segments_before_;
  }

  // How many segments have so many tasks, or more where the last is one of several.
  size_t segments_until(size_t tasks) const {
    size_t segments = 0;
    for (size_t done = 0; done < tasks && segments < program_.segments_.size(); ++segments) {
      done += program_.segments_[segments].count;
    }
    return segments;
  }

  bool gradient_fits(ProgramGradient& gradient) {
    const GradientTail& tail = program_.tail_;
    gradient.format = static_cast<Format>(reader_.below(kFormatCount));
    gradient.values = operand();
    gradient.count = reader_.whole();
    const bool is_sparse = reader_.flag();
    gradient.list = ProgramGradient::kDense;
    Product whole = gradient.count, sorted = 0;
    if (is_sparse) {
      gradient.list = reader_.below(program_.lists_.size());
      gradient.rows = reader_.whole();
      gradient.row_elements = reader_.whole();
      if (!reader_.good || gradient.rows > INT32_MAX) return false;
      const IndexList& list = program_.lists_[gradient.list];
      gradient.list_length = list.length;
      if (!(Product(list.length) * gradient.row_elements).is(gradient.count) || list.limit > gradient.rows)
        return false;
      const Product most = Product(list.length) * program_.repeats_;
      gradient.most_rows = most.at_most(gradient.rows) ? list.length * program_.repeats_ : gradient.rows;
      whole = Product(tail.clip == Clip::average_norm ? gradient.rows
                      : tail.accumulates              ? gradient.most_rows
                                                      : 0) *
              gradient.row_elements;
      if (tail.accumulates) sorted = Product(gradient.most_rows) * gradient.row_elements;
    }
    gradient.whole = operand();
    gradient.sorted = operand();
    const bool needs_whole = tail.accumulates || (is_sparse && tail.clip == Clip::average_norm);
    return reader_.good && fits(gradient.values, gradient.format, gradient.count) &&
           (!needs_whole || fits(gradient.whole, gradient.format, whole)) &&
           fits(gradient.sorted, gradient.format, sorted);
  }

  const char* memory() {
    const size_t places = program_.places_.size();
    if (!program_.starts_.resize(places) || !program_.now_.resize(places) ||
        !program_.lists_now_.resize(program_.lists_.size() + 1) || !program_.tail_.reserve()) {
      return kNoMemory;
    }
    ProgramExchange& exchange = program_.exchange_;
    ProgramShards& shards = program_.shards_;
    if (exchange.ranks > 0 && !exchange.reserve(program_.tail_, program_.repeats_, shards.bounds)) return kNoMemory;
    Buffer<size_t> most_rows;
    if (!shards.empty() && (!exchange.most_rows(program_.tail_, most_rows) ||
                            !shards.reserve(program_.tail_, exchange.ranks, most_rows))) {
      return kNoMemory;
    }
    std::fill(program_.starts_.begin(), program_.starts_.end(), nullptr);
    program_.starts_[0] = program_.arena_.data();
    return nullptr;
  }

  Program& program_;
  TableReader reader_;
};

const char* Program::parse(const double* table, size_t length) { return Parser(*this, table, length).parse(); }

}  // namespace gradstep

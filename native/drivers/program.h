// A whole training step, or the pass forward alone, as a list of tasks with every buffer placed in advance: parsed and
// checked once, run any number of times. A run allocates nothing once it has run before.
#pragma once
#include "program_exchange.h"
#include "program_shards.h"
#include "tasks.h"
#include "update.h"

namespace gradstep {

// Indices of one call: what it is given, or other lists one after the other.
struct IndexList {
  size_t length, stride;  // what a repetition has, and how far the next one starts behind it
  size_t limit;           // each is in [0, limit)
  size_t first;           // in the program's memory for indices
  size_t part, parts;     // the lists that it is made of, in index_parts; none where it is given
};

// What is in a given place: a format, or after these what is none.
enum PlaceKind : size_t { kInt32Place = kFormatCount, kBytePlace, kPlaceKinds };
constexpr size_t place_element_bytes(size_t kind) {
  return kind < kFormatCount ? kFormatBytes[kind] : kind == kInt32Place ? 4 : 1;
}

// A stretch of memory.
struct ProgramPlace {
  size_t bytes, stride;  // of one repetition, and how far the next one starts behind it
  bool is_given;         // an array that comes with the call, else one that the caller has located
  size_t kind;           // of a given one
};

// The step at the end of a program: what lib/native.ts calls a table, without its gradients.
struct ProgramStep {
  size_t rule = 0, groups = 0;
  bool all_rows = false;
  Buffer<double> hyper;
  Buffer<VariableUpdate> variables;
  Buffer<size_t> row_elements;
};

class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads a program as lib/native.ts describes it. Returns what is wrong with it, or nullptr. A program that could not
  // be parsed must not be used.
  const char* parse(const double* table, size_t length);

  static const char* const kNoMemory;  // one and the same pointer everywhere

  size_t place_count() const { return places_.size() - 1; }
  const ProgramPlace& place(size_t i) const { return places_[i + 1]; }
  size_t given_length(size_t i) const;  // of an array given for a place, for all repetitions
  size_t list_count() const { return lists_.size(); }
  const IndexList& list(size_t i) const { return lists_[i]; }
  size_t given_list_length(size_t i) const { return list(i).length + (repeats_ - 1) * list(i).stride; }
  const GradientTail& tail() const { return tail_; }
  size_t bytes() const { return arena_.size(); }

  // Before each run, on the thread that calls: where everything lies.
  void put_place(size_t i, void* start) { starts_[i + 1] = static_cast<char*>(start); }
  // Copies the indices, which other threads may be writing, and returns the copy for the caller to check.
  const int32_t* put_list(size_t i, const int32_t* indices);
  // Of each repetition, those of one after those of another.
  size_t draw_count() const { return draws_.size(); }
  void put_draw(size_t i, const Draw& draw) { draws_[i] = draw; }
  void put_unscale(double factor) { unscale_ = factor; }
  ProgramStep& step() { return step_; }
  // Whether the step, filled in by the caller, fits the gradients.
  bool step_fits() const;

  // What a run has found, for the caller to publish.
  struct Result {
    double loss, norm;
    bool applied;
  };

  // Among how many ranks its gradients are exchanged; 0: it is none that does so.
  size_t ranks() const { return exchange_.ranks; }
  // Whether it can be run by this rank of them: a step that is divided is of one.
  bool is_of_rank(size_t rank) const { return shards_.empty() || shards_.rank == rank; }
  // After a run that is `not_exchanged`.
  const ProgramExchange& exchange() const { return exchange_; }

  // In the place of a run, where this rank cannot make one: the others, who wait for it, are told why.
  void miss(const char* why, Exchange& exchange);
  // Whether the last run was made, rather than missed or refused before.
  bool has_run = false;

  // Runs it all, on this thread and the pool. What is not done has changed no variable. `exchange` is one of ranks().
  [[nodiscard]] TaskStatus run(Result& result, Exchange* exchange = nullptr);

 private:
  class Parser;
  struct Segment { size_t first, count; };  // tasks that run as one: a chain, or a single one

  void link_chains(size_t from, size_t to);
  void start_repetition(size_t repetition);
  TaskStatus run_segments(size_t from, size_t to, size_t repetition);
  TaskStatus run_sending(size_t repetition, TaskStatus status);
  void take_gradient(size_t i, size_t repetition);
  TaskStatus way_back(double& loss);
  double loss_of_repetition() const;
  bool prepare_update(const TaskContext& context);
  TaskStatus step_part();

  TaskContext context(size_t repetition) const;

  size_t repeats_ = 1, draws_each_ = 0;
  Buffer<Draw> draws_;
  Buffer<ProgramPlace> places_;  // the first is the arena
  Buffer<char> arena_;
  Buffer<char*> starts_, now_;  // of each place, for the first repetition and for the present one
  Buffer<IndexList> lists_;
  Buffer<size_t> index_parts_;
  Buffer<int32_t> indices_;
  Buffer<const int32_t*> lists_now_;
  TaskLists task_lists_;
  Buffer<Task> tasks_;
  Buffer<Segment> segments_;
  size_t segments_before_ = 0;  // the update
  struct Loss {
    Format format;
    Operand values;
    size_t count;
  } loss_ = {};
  GradientTail tail_;
  ProgramExchange exchange_;
  ProgramShards shards_;
  double unscale_ = 1;
  ProgramStep step_;
  Update update_;
};

}  // namespace gradstep

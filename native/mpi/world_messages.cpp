// What a rank says to others and hears of them, in words of its own and in pieces of arrays.
#include <string.h>

#include <algorithm>

#include "../runtime/make.h"
#include "pace.h"
#include "world.h"

namespace gradstep::mpi {

bool World::learn_hosts() {
  if (!hosts_.resize(size_ * kHostBytes)) return false;
  memset(hosts_.data(), 0, hosts_.size());
  char* const own = hosts_.data() + rank_ * kHostBytes;
  const std::string name = library_ != nullptr ? library_->host() : "localhost";
  memcpy(own, name.data(), std::min(name.size(), kHostBytes - 1));
  for (size_t other = 0; other < size_; ++other) {
    if (other == rank_) continue;
    char* const theirs = hosts_.data() + other * kHostBytes;
    if (!receive(0, theirs, kHostBytes, other) || !send(0, own, kHostBytes, other)) return false;
  }
  // Nobody asks anything of the others yet.
  for (size_t i = 0; i < batches_[0].requests.size(); ++i) {
    Pace pace(1000);
    for (bool is_done = false; !is_done; pace.rest()) {
      if (failed(library_->test(batches_[0].requests[i], is_done), "MPI_Test")) return false;
    }
  }
  batches_[0].requests.clear();
  return true;
}

void World::receive_messages() {
  for (bool is_done = true; is_done && !load(&is_over_);) {
    if (failed(library_->test(incoming_request_, is_done), "MPI_Test") || !is_done) return;
    const Message message = incoming_;
    if (failed(library_->receive_any(Channel::kControl, &incoming_, sizeof incoming_, incoming_request_),
               "MPI_Irecv")) {
      return;
    }
    on(message);
  }
}

void World::reap() {
  for (Outgoing* item = outgoing_; item != nullptr; item = item->next) {
    if (item->is_free) continue;
    bool is_done = false;
    if (failed(library_->test(item->request, is_done), "MPI_Test")) return;
    item->is_free = is_done;
  }
}

void World::send(size_t to, const Message& message) {
  if (to == rank_) return on(message);
  if (library_ == nullptr || to >= size_) return;
  Outgoing* item = outgoing_;
  while (item != nullptr && !item->is_free) item = item->next;
  if (item == nullptr) {
    item = make<Outgoing>();
    if (item == nullptr) return end_job("out of memory: a message to another rank");
    item->next = outgoing_;
    outgoing_ = item;
  }
  item->message = message;
  item->is_free =
      failed(library_->send(Channel::kControl, &item->message, sizeof item->message, to, item->request), "MPI_Isend");
}

bool World::send(size_t batch, const void* data, size_t bytes, size_t to) {
  Request request = {};
  if (!batches_[batch].requests.reserve(batches_[batch].requests.size() + 1)) return failure_ = "out of memory", false;
  if (failed(library_->send(Channel::kData, data, bytes, to, request), "MPI_Isend")) return false;
  batches_[batch].requests.add_reserved(request);
  batches_[batch].bytes += bytes;
  return true;
}

bool World::receive(size_t batch, void* data, size_t bytes, size_t from) {
  Request request = {};
  if (!batches_[batch].requests.reserve(batches_[batch].requests.size() + 1)) return failure_ = "out of memory", false;
  if (failed(library_->receive(Channel::kData, data, bytes, from, request), "MPI_Irecv")) return false;
  batches_[batch].requests.add_reserved(request);
  batches_[batch].bytes += bytes;
  return true;
}

bool World::wait(size_t batch) {
  Batch& waited = batches_[batch];
  // What is large is moved by this thread's very calls: it stays at it.
  Pace pace(100 + waited.bytes / 256);
  unsigned turns = 0;
  for (size_t i = 0; i < waited.requests.size() && failure_.empty();) {
    bool is_done = false;
    if (failed(library_->test(waited.requests[i], is_done), "MPI_Test")) break;
    if (is_done) {
      ++i;
      continue;
    }
    if (++turns % 16 == 0) progress();
    pace.rest();
  }
  waited.requests.clear();
  waited.bytes = 0;
  return failure_.empty();
}

bool World::sum(void* values, size_t count, Format format) {
  char* const all = static_cast<char*>(values);
  const size_t width = kFormatBytes[static_cast<size_t>(format)];
  for (size_t at = 0; at < count; at += Library::kMostElements) {
    const size_t n = std::min(Library::kMostElements, count - at);
    Request request = {};
    if (!batches_[0].requests.reserve(1)) return failure_ = "out of memory", false;
    if (failed(library_->sum(all + at * width, n, format, request), "MPI_Iallreduce")) return false;
    batches_[0].requests.add_reserved(request);
    batches_[0].bytes += n * width;
    if (!wait(size_t{0})) return false;
  }
  return true;
}

bool World::sum_part(const void* values, void* out, size_t count, Format format) {
  Request request = {};
  if (!batches_[0].requests.reserve(1)) return failure_ = "out of memory", false;
  if (failed(library_->sum_part(values, out, count, format, request), "MPI_Ireduce_scatter_block")) return false;
  batches_[0].requests.add_reserved(request);
  batches_[0].bytes += count * size_ * kFormatBytes[static_cast<size_t>(format)];
  return wait(size_t{0});
}

}  // namespace gradstep::mpi

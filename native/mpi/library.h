// An MPI library that was found at run time, whichever it is. No header of MPI's is needed: what differs between the
// families of libraries, handles and constants, is in library.cpp.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

#include "../kernels/formats.h"

namespace gradstep::mpi {

// Whose binary interface a library has: the standard's, that of MPI 5; Open MPI's; MPICH's, which Intel MPI, MVAPICH
// and others have too.
enum class Family : uint8_t { kStandard, kOpenMpi, kMpich };

const char* name_of(Family family);

// A handle of the library's: an int or a pointer.
struct Request { uint64_t handle; };

// Two communicators of all ranks: what arrays go through never meets what ranks tell each other about.
enum class Channel : uint8_t { kControl, kData };

// Every call returns MPI's code, of which 0 is success, and is made by the one thread that has called `init`.
class Library {
 public:
  virtual ~Library() = default;

  virtual int init() = 0;  // MPI, and the two communicators, whose errors are returned
  // False where MPI_Finalize may wait for ever when ranks are on several hosts: in MPICH over UCX a rank waits there
  // for answers of UCX's that others, who already wait for that rank in the launcher's barrier, do not give any more. A
  // C program that sends one message to each rank and finalizes does so every other time (MPICH 4.0.2, UCX 1.13.1,
  // TCP).
  virtual bool is_safe_to_finalize() const = 0;
  virtual int finalize() = 0;
  virtual void abort(int code) = 0;

  // An integer of at most kMostBytes bytes each.
  virtual int send(Channel channel, const void* data, size_t bytes, size_t to, Request& request) = 0;
  virtual int receive(Channel channel, void* data, size_t bytes, size_t from, Request& request) = 0;
  virtual int receive_any(Channel channel, void* data, size_t bytes, Request& request) = 0;
  // Puts the sum over all ranks in the place of at most kMostElements, in MPI's order.
  virtual int sum(void* values, size_t count, Format format, Request& request) = 0;
  // Puts this rank's part of the sum, of so many elements, into `out`; all parts are at most kMostElements.
  virtual int sum_part(const void* values, void* out, size_t count, Format format, Request& request) = 0;
  virtual int test(Request& request, bool& is_done) = 0;
  virtual int cancel(Request& request) = 0;  // a receive, which then is done

  virtual std::string text_of(int code) = 0;

  size_t rank() const { return rank_; }
  size_t size() const { return size_; }
  Family family() const { return family_; }
  const std::string& version() const { return version_; }  // what the library says of itself: its first line
  const std::string& path() const { return path_; }
  const std::string& host() const { return host_; }  // where this rank is, as MPI calls it

  static constexpr size_t kMostBytes = size_t{1} << 30, kMostElements = size_t{1} << 27;

 protected:
  size_t rank_ = 0, size_ = 1;
  Family family_ = Family::kStandard;
  std::string version_, path_, host_;
};

// The library that was opened, or nullptr with why it is none that can be used. It is not initialized yet.
Library* bind(void* opened, std::string& why);

// The same without the rest: what can be said of a library before it is decided to use it.
bool recognize(void* opened, Family& family, std::string& version, std::string& why);

}  // namespace gradstep::mpi

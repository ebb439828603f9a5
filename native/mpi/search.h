// Which MPI library is to be used: the one that was named, or one that fits the program that started this process.
#pragma once
#include <stddef.h>

#include <string>

namespace gradstep::mpi {

class Library;

// Who started this process as one of several, as environment variables tell.
struct Launcher {
  enum class Kind { kNone, kOpenMpi, kMpich, kUnknown };

  Kind kind = Kind::kNone;
  size_t size = 1;    // how many processes; 0 where that is not said
  std::string sign;   // the variable that tells
  bool may_be_other;  // whether libraries of another family may be started so, too
};

// `why`: what is wrong with how this process was started; empty where nothing is.
Launcher launcher(std::string& why);

// A library, open and not initialized. nullptr: with `why`; or, where nothing started this process as one of several
// and none was asked for (by `name`, which may be empty), without.
// `always`: one is looked for in any case.
Library* find_library(const std::string& name, bool always, std::string& why);

// What to do where the ranks do not find each other: an initialized library says how many there are, the launcher
// another number. Empty where all is well.
std::string mismatch(const Library& library);

}  // namespace gradstep::mpi

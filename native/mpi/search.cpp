#include "search.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/os/os.h"
#include "library.h"

namespace gradstep::mpi {
namespace {

using Kind = Launcher::Kind;

size_t number(const std::string& text) {
  size_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || value > 100000000) return 0;
    value = value * 10 + static_cast<size_t>(digit - '0');
  }
  return value;
}

bool is_set(const char* name) { return !os::environment(name).empty(); }

#if defined(__APPLE__)
constexpr const char* kStandardNames[] = {"libmpi_abi.0.dylib", "/opt/homebrew/lib/libmpi_abi.0.dylib",
                                          "/usr/local/lib/libmpi_abi.0.dylib"};
constexpr const char* kOpenMpiNames[] = {"libmpi.40.dylib", "/opt/homebrew/lib/libmpi.40.dylib",
                                         "/usr/local/lib/libmpi.40.dylib", "/opt/local/lib/openmpi-mp/libmpi.40.dylib"};
constexpr const char* kMpichNames[] = {"libmpi.12.dylib", "/opt/homebrew/lib/libmpi.12.dylib",
                                       "/usr/local/lib/libmpi.12.dylib", "/opt/local/lib/mpich-mp/libmpi.12.dylib"};
constexpr const char* kOtherNames[] = {"libmpi.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"};
#else
constexpr const char* kStandardNames[] = {"libmpi_abi.so.0"};
constexpr const char* kOpenMpiNames[] = {"libmpi.so.40"};
constexpr const char* kMpichNames[] = {"libmpi.so.12", "libmpich.so.12"};
constexpr const char* kOtherNames[] = {"libmpi.so", "libmpi_abi.so"};
#endif

const char* program_of(Kind kind) {
  return kind == Kind::kOpenMpi ? "Open MPI's mpirun" : kind == Kind::kMpich ? "MPICH's mpirun or a relative" : "";
}

// What the search came to, name by name.
class Search {
 public:
  explicit Search(const Launcher& launcher) : launcher_(launcher) {}

  Library* open(const char* name, bool is_named) {
    std::string why;
    void* const opened = os::open_library(name, false, why);
    if (opened == nullptr) return note(name, why);
    Family family;
    std::string version;
    if (!recognize(opened, family, version, why) || !fits(family, version, is_named, why)) {
      os::close_library(opened);
      return note(name, why);
    }
    // Modules that the library loads later look for its names among those that are for all.
    void* const shared = os::open_library(name, true, why);
    Library* const library = shared == nullptr ? nullptr : bind(shared, why);
    return library != nullptr ? library : note(name, why);
  }

  template <size_t n> Library* open_one(const char* const (&names)[n]) {
    for (const char* name : names) {
      if (Library* const library = open(name, false)) return library;
    }
    return nullptr;
  }

  const std::string& notes() const { return notes_; }

 private:
  Library* note(const char* name, const std::string& why) {
    // Of a library that is not there the system says so in many words.
    const bool is_absent = why.find("cannot open shared object file: No such file") != std::string::npos &&
                           why.compare(0, strlen(name), name) == 0;
    notes_ += "\n  " + std::string(name) + ": " + (is_absent ? "not found" : why);
    return nullptr;
  }

  bool fits(Family family, const std::string& version, bool is_named, std::string& why) const {
    const bool is_open_mpi = family == Family::kOpenMpi || version.compare(0, 8, "Open MPI") == 0;
    if (launcher_.kind == Kind::kOpenMpi && !is_open_mpi) {
      why = "it is '" + version + "', and this process was started by Open MPI's mpirun (" + launcher_.sign + ")";
      return false;
    }
    if (launcher_.kind == Kind::kMpich && is_open_mpi && !(is_named && launcher_.may_be_other)) {
      why = "it is '" + version + "', and this process was started by " + program_of(launcher_.kind) + " (" +
            launcher_.sign + ")";
      return false;
    }
    return true;
  }

  const Launcher& launcher_;
  std::string notes_;
};

std::string advice(Kind kind) {
  const std::string open_mpi = "apt-get install openmpi-bin", mpich = "apt-get install mpich";
  const std::string install = kind == Kind::kOpenMpi ? open_mpi
                              : kind == Kind::kMpich ? mpich
                                                     : open_mpi + ", or: apt-get install mpich";
  return "\n  to install one: " + install +
         "\n  to use one that is elsewhere: GRADSTEP_MPI_LIB=/path/to/libmpi.so, of the same MPI as mpirun";
}

// Slurm's way to start processes, which tells them nothing of MPI unless it is asked to.
bool is_bare_srun() {
  return number(os::environment("SLURM_STEP_NUM_TASKS")) > 1 && is_set("SLURM_PROCID") && is_set("SLURM_STEP_ID");
}

}  // namespace

Launcher launcher(std::string& why) {
  if (is_set("OMPI_COMM_WORLD_SIZE")) {
    return {Kind::kOpenMpi, number(os::environment("OMPI_COMM_WORLD_SIZE")), "OMPI_COMM_WORLD_SIZE", false};
  }
  // Slurm starts processes of any MPI that was built for it.
  const bool is_slurm = is_set("SLURM_STEP_ID");
  if (is_set("PMI_RANK") || is_set("PMI_FD") || is_set("PMI_PORT")) {
    const char* const sign = is_set("PMI_RANK") ? "PMI_RANK" : is_set("PMI_FD") ? "PMI_FD" : "PMI_PORT";
    return {Kind::kMpich, number(os::environment("PMI_SIZE")), sign, is_slurm};
  }
  if (is_set("MPIRUN_NPROCS")) {
    return {Kind::kMpich, number(os::environment("MPIRUN_NPROCS")), "MPIRUN_NPROCS", false};
  }
  if (is_set("PMIX_RANK")) {
    return {Kind::kUnknown, is_slurm ? number(os::environment("SLURM_STEP_NUM_TASKS")) : 0, "PMIX_RANK", true};
  }
  if (is_bare_srun()) {
    why =
        "srun has started " + os::environment("SLURM_STEP_NUM_TASKS") +
        " processes and told them nothing of MPI, so that each would be rank 0 of 1: give it --mpi=pmix or --mpi=pmi2 "
        "(srun --mpi=list says what it has), or start them with mpirun";
  }
  return {Kind::kNone, 1, "", false};
}

Library* find_library(const std::string& name, bool always, std::string& why) {
  const Launcher started = launcher(why);
  if (!why.empty()) return nullptr;
  Search search(started);
  if (!name.empty()) {
    Library* const library = search.open(name.c_str(), true);
    if (library == nullptr) {
      why = "the MPI library that GRADSTEP_MPI_LIB names cannot be used" + search.notes() + advice(started.kind);
    }
    return library;
  }
  if (started.kind == Kind::kNone && !always) return nullptr;
  Library* library = nullptr;
  if (started.kind == Kind::kOpenMpi) library = search.open_one(kOpenMpiNames);
  if (started.kind == Kind::kMpich) library = search.open_one(kMpichNames);
  if (library == nullptr) library = search.open_one(kStandardNames);
  if (library == nullptr && started.kind != Kind::kOpenMpi) library = search.open_one(kOpenMpiNames);
  if (library == nullptr && started.kind != Kind::kMpich) library = search.open_one(kMpichNames);
  if (library == nullptr) library = search.open_one(kOtherNames);
  if (library == nullptr) {
    const std::string program = program_of(started.kind);
    why = (started.kind == Kind::kNone
               ? std::string("no MPI library")
               : "this process was started as one of several (" + started.sign + " is set), and no MPI library") +
          (program.empty() ? "" : " of " + program) + " was found where the system looks for libraries" +
          search.notes() + advice(started.kind);
  }
  return library;
}

std::string mismatch(const Library& library) {
  std::string why;
  const Launcher started = launcher(why);
  if (started.size == 0 || started.size == library.size()) return {};
  return "this process is one of " + std::to_string(started.size) + " that were started together (" + started.sign +
         "), and its MPI library says that there " +
         (library.size() == 1 ? "is 1" : "are " + std::to_string(library.size())) +
         ": the library is not of the mpirun that started it\n  library: " + library.path() + ", '" +
         library.version() + "'\n  start it with the mpirun of that MPI, or name the right library by GRADSTEP_MPI_LIB";
}

}  // namespace gradstep::mpi

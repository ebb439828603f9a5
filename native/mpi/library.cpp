#include "library.h"

#include <string.h>

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/make.h"
#include "../runtime/os/os.h"

namespace gradstep::mpi {
namespace {

// What a family's mpi.h has: handles are `Handle`s, an int or a pointer.
template <class Handle> struct Constants {
  Handle world, request_null, errors_return, byte, float32, float64, sum;
  int any_source, thread_serialized;
  void* in_place;
  void* status_ignore;
};

void* address(intptr_t value) { return reinterpret_cast<void*>(value); }

// MPI 5.0, "Application Binary Interface".
Constants<void*> of_standard() {
  return {address(0x101), address(0x180), address(0x143), address(0x247),
          address(0x210), address(0x214), address(0x21),  -1,
          2048,           address(1),     nullptr};
}

// Handles are the addresses of variables.
Constants<void*> of_open_mpi(void* opened) {
  return {os::symbol(opened, "ompi_mpi_comm_world"),
          os::symbol(opened, "ompi_request_null"),
          os::symbol(opened, "ompi_mpi_errors_return"),
          os::symbol(opened, "ompi_mpi_byte"),
          os::symbol(opened, "ompi_mpi_float"),
          os::symbol(opened, "ompi_mpi_double"),
          os::symbol(opened, "ompi_mpi_op_sum"),
          -1,
          2,
          address(1),
          nullptr};
}

Constants<int> of_mpich() {
  return {0x44000000, 0x2c000000, 0x54000001, 0x4c00010d,  0x4c00040a, 0x4c00080b,
          0x58000003, -2,         2,          address(-1), address(1)};
}

// Those that are called, by the types that handles have in C.
template <class Handle> struct Functions {
  int (*Init_thread)(int*, char***, int, int*);
  int (*Finalize)();
  int (*Abort)(Handle, int);
  int (*Comm_rank)(Handle, int*);
  int (*Comm_size)(Handle, int*);
  int (*Comm_dup)(Handle, Handle*);
  int (*Comm_free)(Handle*);
  int (*Comm_set_errhandler)(Handle, Handle);
  int (*Get_processor_name)(char*, int*);
  int (*Error_string)(int, char*, int*);
  int (*Isend)(const void*, int, Handle, int, int, Handle, Handle*);
  int (*Irecv)(void*, int, Handle, int, int, Handle, Handle*);
  int (*Iallreduce)(const void*, void*, int, Handle, Handle, Handle, Handle*);
  int (*Ireduce_scatter_block)(const void*, void*, int, Handle, Handle, Handle, Handle*);
  int (*Test)(Handle*, int*, void*);
  int (*Cancel)(Handle*);
};

template <class Function> bool find(void* opened, const char* name, Function& function, std::string& missing) {
  void* const found = os::symbol(opened, name);
  if (found == nullptr) missing = name;
  memcpy(&function, &found, sizeof found);  // what POSIX has in place of a cast
  return found != nullptr;
}

template <class Handle> bool find_all(void* opened, Functions<Handle>& to, std::string& missing) {
  return find(opened, "MPI_Init_thread", to.Init_thread, missing) &&
         find(opened, "MPI_Finalize", to.Finalize, missing) && find(opened, "MPI_Abort", to.Abort, missing) &&
         find(opened, "MPI_Comm_rank", to.Comm_rank, missing) && find(opened, "MPI_Comm_size", to.Comm_size, missing) &&
         find(opened, "MPI_Comm_dup", to.Comm_dup, missing) && find(opened, "MPI_Comm_free", to.Comm_free, missing) &&
         find(opened, "MPI_Comm_set_errhandler", to.Comm_set_errhandler, missing) &&
         find(opened, "MPI_Get_processor_name", to.Get_processor_name, missing) &&
         find(opened, "MPI_Error_string", to.Error_string, missing) && find(opened, "MPI_Isend", to.Isend, missing) &&
         find(opened, "MPI_Irecv", to.Irecv, missing) && find(opened, "MPI_Iallreduce", to.Iallreduce, missing) &&
         find(opened, "MPI_Ireduce_scatter_block", to.Ireduce_scatter_block, missing) &&
         find(opened, "MPI_Test", to.Test, missing) && find(opened, "MPI_Cancel", to.Cancel, missing);
}

constexpr int kTag = 0;

template <class Handle> class Bound final : public Library {
 public:
  Bound(Family family, const Functions<Handle>& functions, const Constants<Handle>& constants, std::string version,
        bool has_ucx)
      : call_(functions), is_(constants), has_ucx_(has_ucx) {
    family_ = family;
    version_ = std::move(version);
    void* init = nullptr;
    memcpy(&init, &functions.Init_thread, sizeof init);
    path_ = os::file_of(init);
  }

  int init() override {
    int provided = 0, rank = 0, size = 1, length = 0;
    char host[2048] = {};
    int code = call_.Init_thread(nullptr, nullptr, is_.thread_serialized, &provided);
    if (code == 0) code = call_.Comm_set_errhandler(is_.world, is_.errors_return);
    if (code == 0) code = call_.Comm_rank(is_.world, &rank);
    if (code == 0) code = call_.Comm_size(is_.world, &size);
    if (code == 0) code = call_.Get_processor_name(host, &length);
    for (Handle& channel : channels_) {
      if (code == 0) code = call_.Comm_dup(is_.world, &channel);
      if (code == 0) code = call_.Comm_set_errhandler(channel, is_.errors_return);
    }
    rank_ = static_cast<size_t>(rank);
    size_ = static_cast<size_t>(size);
    host_ = host;
    return code;
  }

  bool is_safe_to_finalize() const override { return family_ != Family::kMpich || !has_ucx_; }

  int finalize() override {
    for (Handle& channel : channels_) call_.Comm_free(&channel);
    return call_.Finalize();
  }

  void abort(int code) override { call_.Abort(is_.world, code); }

  int send(Channel channel, const void* data, size_t bytes, size_t to, Request& request) override {
    return call_.Isend(data, static_cast<int>(bytes), is_.byte, static_cast<int>(to), kTag, of(channel),
                       start(request));
  }

  int receive(Channel channel, void* data, size_t bytes, size_t from, Request& request) override {
    return call_.Irecv(data, static_cast<int>(bytes), is_.byte, static_cast<int>(from), kTag, of(channel),
                       start(request));
  }

  int receive_any(Channel channel, void* data, size_t bytes, Request& request) override {
    return call_.Irecv(data, static_cast<int>(bytes), is_.byte, is_.any_source, kTag, of(channel), start(request));
  }

  int sum(void* values, size_t count, Format format, Request& request) override {
    return call_.Iallreduce(is_.in_place, values, static_cast<int>(count), of(format), is_.sum, of(Channel::kData),
                            start(request));
  }

  int sum_part(const void* values, void* out, size_t count, Format format, Request& request) override {
    return call_.Ireduce_scatter_block(values, out, static_cast<int>(count), of(format), is_.sum, of(Channel::kData),
                                       start(request));
  }

  int test(Request& request, bool& is_done) override {
    int flag = 0;
    const int code = call_.Test(handle_of(request), &flag, is_.status_ignore);
    is_done = flag != 0;
    return code;
  }

  int cancel(Request& request) override {
    const int code = call_.Cancel(handle_of(request));
    for (bool is_done = false; code == 0 && !is_done;) {
      if (test(request, is_done) != 0) break;
    }
    return code;
  }

  std::string text_of(int code) override {
    char text[2048] = {};
    int length = 0;
    return call_.Error_string(code, text, &length) == 0 ? text : "MPI's error " + std::to_string(code);
  }

 private:
  static_assert(sizeof(Handle) <= sizeof(Request));

  Handle of(Channel channel) const { return channels_[static_cast<size_t>(channel)]; }
  Handle of(Format format) const { return format == Format::float32 ? is_.float32 : is_.float64; }
  static Handle* handle_of(Request& request) { return reinterpret_cast<Handle*>(&request.handle); }
  Handle* start(Request& request) {
    *handle_of(request) = is_.request_null;
    return handle_of(request);
  }

  const Functions<Handle> call_;
  const Constants<Handle> is_;
  const bool has_ucx_;
  Handle channels_[2] = {};
};

// Before MPI is initialized, as this may be called.
std::string version_of(void* opened) {
  int (*get)(char*, int*) = nullptr;
  std::string missing;
  if (!find(opened, "MPI_Get_library_version", get, missing)) return {};
  Buffer<char> text;  // more than what any library says
  int length = 0;
  if (!text.resize(16384)) return {};
  memset(text.data(), 0, text.size());
  if (get(text.data(), &length) != 0) return {};
  std::string first = text.data();
  first.resize(std::min(first.find_first_of("\r\n"), first.size()));
  for (char& character : first) character = character == '\t' ? ' ' : character;
  return first.size() > 200 ? first.substr(0, 200) : first;
}

bool has_standard_abi(void* opened) {
  int (*get)(int*, int*) = nullptr;
  std::string missing;
  int major = -1, minor = -1;
  // A library may have the function to say that it has another interface.
  return find(opened, "MPI_Abi_get_version", get, missing) && get(&major, &minor) == 0 && major >= 1;
}

template <class Handle>
Library* bound(Family family, void* opened, const Constants<Handle>& constants, std::string version, std::string& why) {
  Functions<Handle> functions = {};
  std::string missing;
  if (!find_all(opened, functions, missing)) {
    why = "it has no " + missing;
    return nullptr;
  }
  Library* const made = make<Bound<Handle>>(family, functions, constants, std::move(version),
                                            os::symbol(opened, "ucp_worker_progress") != nullptr);
  if (made == nullptr) why = "out of memory";
  return made;
}

bool has(const std::string& text, const char* word) { return text.find(word) != std::string::npos; }

}  // namespace

const char* name_of(Family family) {
  switch (family) {
    case Family::kStandard: return "standard";
    case Family::kOpenMpi: return "openmpi";
    case Family::kMpich: return "mpich";
  }
  return "";
}

bool recognize(void* opened, Family& family, std::string& version, std::string& why) {
  if (os::symbol(opened, "MPI_Init_thread") == nullptr) {
    why = "it is no MPI library: it has no MPI_Init_thread";
    return false;
  }
  version = version_of(opened);
  if (has_standard_abi(opened)) {
    family = Family::kStandard;
    return true;
  }
  if (os::symbol(opened, "ompi_mpi_comm_world") != nullptr) {
    family = Family::kOpenMpi;
    return true;
  }
  family = Family::kMpich;
  for (const char* name : {"MPICH", "Intel", "MVAPICH", "CRAY", "Cray", "ParaStation"}) {
    if (has(version, name)) return true;
  }
  why = "it is neither Open MPI nor MPICH nor one with MPI 5's binary interface" +
        (version.empty() ? std::string() : " (it calls itself '" + version + "')");
  return false;
}

Library* bind(void* opened, std::string& why) {
  Family family;
  std::string version;
  if (!recognize(opened, family, version, why)) return nullptr;
  switch (family) {
    case Family::kStandard: return bound(family, opened, of_standard(), std::move(version), why);
    case Family::kMpich: return bound(family, opened, of_mpich(), std::move(version), why);
    case Family::kOpenMpi: break;
  }
  const Constants<void*> constants = of_open_mpi(opened);
  for (void* const handle : {constants.world, constants.request_null, constants.errors_return, constants.byte,
                             constants.float32, constants.float64, constants.sum}) {
    if (handle != nullptr) continue;
    why = "it lacks one of Open MPI's handles";
    return nullptr;
  }
  return bound(family, opened, constants, std::move(version), why);
}

}  // namespace gradstep::mpi

// The binary interface of MPI 5's standard over MPICH: handles are pointers, constants those of the standard. It has what
// gradstep calls, ends the process at a handle or constant that is none of the standard's, and is no MPI library of use to others.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void* Handle;

struct Status {
  int source, tag, error, reserved[5];
};

static void* mpich;

static void refuse(const char* what, intptr_t value) {
  fprintf(stderr, "shim: %s is none of the standard's: %#lx\n", what, (long)value);
  abort();
}

static void* function(const char* name) {
  if (mpich == NULL) mpich = dlopen("libmpich.so.12", RTLD_NOW | RTLD_LOCAL);
  if (mpich == NULL) mpich = dlopen("libmpi.so.12", RTLD_NOW | RTLD_LOCAL);
  void* const found = mpich == NULL ? NULL : dlsym(mpich, name);
  if (found == NULL) {
    fprintf(stderr, "shim: MPICH has no %s\n", name);
    abort();
  }
  return found;
}

#define CALL(name, ...) ((int (*)(__VA_ARGS__))function(#name))

struct Pair {
  intptr_t standard;
  int mpich;
};

static const struct Pair kComms[] = {{0x101, 0x44000000}, {0x102, 0x44000001}, {0x100, 0x04000000}, {0, 0}};
static const struct Pair kTypes[] = {{0x247, 0x4c00010d}, {0x210, 0x4c00040a}, {0x214, 0x4c00080b}, {0, 0}};
static const struct Pair kOps[] = {{0x21, 0x58000003}, {0x22, 0x58000002}, {0x23, 0x58000001}, {0, 0}};
static const struct Pair kRequests[] = {{0x180, 0x2c000000}, {0, 0}};
static const struct Pair kErrorHandlers[] = {{0x141, 0x54000000}, {0x143, 0x54000001}, {0, 0}};

static int of(Handle handle, const struct Pair* table, const char* what) {
  const intptr_t value = (intptr_t)handle;
  for (; table->standard != 0; ++table) {
    if (table->standard == value) return table->mpich;
  }
  if (value < 0x1000) refuse(what, value);
  return (int)(uint32_t)value;
}

static Handle to(int value, const struct Pair* table) {
  for (; table->standard != 0; ++table) {
    if (table->mpich == value) return (Handle)table->standard;
  }
  return (Handle)(uintptr_t)(uint32_t)value;
}

static int comm_of(Handle comm) { return of(comm, kComms, "a communicator"); }
static int type_of(Handle type) { return of(type, kTypes, "a type"); }

int MPI_Abi_get_version(int* major, int* minor) {
  *major = 1;
  *minor = 0;
  return 0;
}

int MPI_Get_library_version(char* text, int* length) {
  *length = sprintf(text, "MPICH behind the interface of MPI 5's standard (a shim for tests)");
  return 0;
}

int MPI_Init_thread(int* count, char*** values, int required, int* provided) {
  int got = 0;
  if (required % 1024 != 0) refuse("a level of threads", required);
  const int code = CALL(MPI_Init_thread, int*, char***, int, int*)(count, values, required / 1024, &got);
  *provided = got * 1024;
  return code;
}

int MPI_Finalize(void) { return CALL(MPI_Finalize, void)(); }
int MPI_Abort(Handle comm, int code) { return CALL(MPI_Abort, int, int)(comm_of(comm), code); }
int MPI_Comm_rank(Handle comm, int* rank) { return CALL(MPI_Comm_rank, int, int*)(comm_of(comm), rank); }
int MPI_Comm_size(Handle comm, int* size) { return CALL(MPI_Comm_size, int, int*)(comm_of(comm), size); }

int MPI_Comm_dup(Handle comm, Handle* made) {
  int other = 0;
  const int code = CALL(MPI_Comm_dup, int, int*)(comm_of(comm), &other);
  *made = to(other, kComms);
  return code;
}

int MPI_Comm_free(Handle* comm) {
  int freed = comm_of(*comm);
  const int code = CALL(MPI_Comm_free, int*)(&freed);
  *comm = (Handle)0x100;
  return code;
}

int MPI_Comm_set_errhandler(Handle comm, Handle handler) {
  return CALL(MPI_Comm_set_errhandler, int, int)(comm_of(comm), of(handler, kErrorHandlers, "an error handler"));
}

int MPI_Get_processor_name(char* name, int* length) {
  return CALL(MPI_Get_processor_name, char*, int*)(name, length);
}

int MPI_Error_string(int code, char* text, int* length) {
  return CALL(MPI_Error_string, int, char*, int*)(code, text, length);
}

int MPI_Isend(const void* data, int count, Handle type, int dest, int tag, Handle comm, Handle* request) {
  int made = 0;
  const int code = CALL(MPI_Isend, const void*, int, int, int, int, int, int*)(data, count, type_of(type), dest, tag,
                                                                              comm_of(comm), &made);
  *request = to(made, kRequests);
  return code;
}

int MPI_Irecv(void* data, int count, Handle type, int source, int tag, Handle comm, Handle* request) {
  int made = 0;
  if (source < -1) refuse("a rank", source);
  const int code = CALL(MPI_Irecv, void*, int, int, int, int, int, int*)(
      data, count, type_of(type), source == -1 ? -2 : source, tag, comm_of(comm), &made);
  *request = to(made, kRequests);
  return code;
}

int MPI_Iallreduce(const void* in, void* out, int count, Handle type, Handle op, Handle comm, Handle* request) {
  int made = 0;
  const void* const from = in == (void*)1 ? (void*)(intptr_t)-1 : in;
  const int code = CALL(MPI_Iallreduce, const void*, void*, int, int, int, int, int*)(
      from, out, count, type_of(type), of(op, kOps, "an operation"), comm_of(comm), &made);
  *request = to(made, kRequests);
  return code;
}

int MPI_Ireduce_scatter_block(const void* in, void* out, int count, Handle type, Handle op, Handle comm,
                              Handle* request) {
  int made = 0;
  const int code = CALL(MPI_Ireduce_scatter_block, const void*, void*, int, int, int, int, int*)(
      in, out, count, type_of(type), of(op, kOps, "an operation"), comm_of(comm), &made);
  *request = to(made, kRequests);
  return code;
}

int MPI_Test(Handle* request, int* flag, struct Status* status) {
  int one = of(*request, kRequests, "a request");
  struct { int count_low, count_high, source, tag, error; } got;
  memset(&got, 0, sizeof got);
  const int code = CALL(MPI_Test, int*, int*, void*)(&one, flag, status == NULL ? (void*)1 : (void*)&got);
  *request = to(one, kRequests);
  if (status != NULL) *status = (struct Status){got.source, got.tag, got.error, {0}};
  return code;
}

int MPI_Cancel(Handle* request) {
  int one = of(*request, kRequests, "a request");
  return CALL(MPI_Cancel, int*)(&one);
}

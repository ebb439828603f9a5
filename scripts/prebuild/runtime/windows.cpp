// What the compiler's start files and the rest of libc++ would bring on Windows: the entry of the library, memory for
// each thread, a guarded stack, and where Node's functions are. The C library is Windows' own and starts by itself.
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include "common.h"

extern "C" {

using Constructor = void (*)();
extern Constructor __CTOR_LIST__[];  // by the linker: -1, then what runs when the library is loaded, then 0
extern char __ImageBase;

// The compiler finds a thread's variables through the first two names, the system what they start as through the third.
ULONG _tls_index = 0;
extern __attribute__((section(".tls"))) char _tls_start = 0;
extern __attribute__((section(".tls$ZZZ"))) char _tls_end = 0;
extern __attribute__((section(".rdata$T")))
const IMAGE_TLS_DIRECTORY64 _tls_used = {reinterpret_cast<ULONGLONG>(&_tls_start),
                                         reinterpret_cast<ULONGLONG>(&_tls_end + 1),
                                         reinterpret_cast<ULONGLONG>(&_tls_index),
                                         0,
                                         0,
                                         0};

BOOL WINAPI DllMain(HINSTANCE, DWORD reason, LPVOID) {
  if (reason == DLL_PROCESS_ATTACH) {
    for (Constructor* constructor = __CTOR_LIST__ + 1; *constructor != nullptr; ++constructor) (*constructor)();
  }
  return TRUE;
}

// The library stays until the process ends, and then nothing of it needs an end of its own.
int atexit(void (*)()) { return 0; }

// What is described by the linker for --delayload, in offsets from the library's start.
struct DelayedImports { DWORD attributes, name, module, addresses, names; };

// Called once for each of Node's functions, before its first call. They are in libnode.dll where there is one,
// otherwise in the program that runs, whatever it is called.
FARPROC __delayLoadHelper2(const DelayedImports* imports, FARPROC* address) {
  HMODULE node = GetModuleHandleW(L"libnode.dll");
  if (node == nullptr) node = GetModuleHandleW(nullptr);
  char* const start = &__ImageBase;
  const auto index = address - reinterpret_cast<FARPROC*>(start + imports->addresses);
  const auto name = reinterpret_cast<const ULONGLONG*>(start + imports->names)[index];
  const FARPROC found = GetProcAddress(node, start + name + sizeof(WORD));  // after a hint
  constexpr DWORD kProcedureNotFound = 0xC06D007F;                          // as Visual C++ says it
  if (found == nullptr) RaiseException(kProcedureNotFound, EXCEPTION_NONCONTINUABLE, 0, nullptr);
  return *address = found;
}

}  // extern "C"

// Called before a function takes more than a page of the stack: pages are touched one after the other, as the system
// adds only the next one.
#if defined(__x86_64__)
__asm__(R"(
  .globl ___chkstk_ms
___chkstk_ms:
  push %rcx
  push %rax
  lea 24(%rsp), %rcx
1:
  cmp $0x1000, %rax
  jb 2f
  sub $0x1000, %rcx
  test %rcx, (%rcx)
  sub $0x1000, %rax
  jmp 1b
2:
  sub %rax, %rcx
  test %rcx, (%rcx)
  pop %rax
  pop %rcx
  ret
)");
#else  // in x15, by 16 bytes
__asm__(R"(
  .globl __chkstk
__chkstk:
  lsl x16, x15, #4
  mov x17, sp
1:
  sub x17, x17, #4096
  subs x16, x16, #4096
  ldr xzr, [x17]
  b.gt 1b
  ret
)");
#endif

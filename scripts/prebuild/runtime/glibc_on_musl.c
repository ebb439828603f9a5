/* What Debian's libstdc++ asks of glibc and musl does not have, for the tests with musl only. */
#include <stddef.h>
#include <time.h>

char __libc_single_threaded = 0;
void* __dso_handle __attribute__((visibility("hidden"))) = &__dso_handle;
int _dl_find_object(void* address, void* result) {
  (void)address, (void)result;
  return -1;
}
unsigned arc4random(void) { return 4; }
int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* library) {
  (void)function, (void)object, (void)library;
  return 0;
}
size_t __strftime_l(char* to, size_t size, const char* format, const struct tm* time, void* locale) {
  (void)locale;
  return strftime(to, size, format, time);
}

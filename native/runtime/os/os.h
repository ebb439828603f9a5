// What differs between operating systems. Nothing else in native/ includes a header of one.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

namespace gradstep::os {

// An environment variable as this process has it now, its own changes included; empty when it is not set.
std::string environment(const char* name);

// Starts a thread that nobody waits for and that gets none of the process's signals: those stay with the threads that
// expect them. The name (at most 15 characters) is for debuggers. False when the system refuses.
bool start_thread(const char* name, size_t stack_bytes, void (*run)(void* context), void* context);

// Leaves the processor to another thread that waits for one, if there is any.
void yield();

// Has `f` called in every child that this process forks, before anything else runs there.
void after_fork_in_child(void (*f)());

// How many CPUs this process may use, at least 1: of its affinity mask and its container's quota (rounded up) the
// smaller. Asks the system each time.
size_t parallelism();

// Memory that starts at a multiple of 64, a cache line and the widest vector; nullptr when there is none.
void* allocate(size_t bytes);
void release(void* memory);  // what allocate returned, also nullptr

// Sleeps while *word is `seen`, for at most so many milliseconds; may return for no reason. Threads of one process
// share the word.
void wait_while(const uint32_t* word, uint32_t seen, uint32_t milliseconds);
// Wakes all who wait for the word to change, which it has.
void wake_all(const uint32_t* word);

// Keeps this shared library mapped until the process ends. Node unloads an addon with the last environment that uses
// it, but the pool's workers live on in its code. False when it is not a shared library.
bool keep_library_loaded();

// Libraries that are looked for at run time. On Windows there are none.

// nullptr when it cannot be opened: `why` is what the system says. `for_all`: what is opened later sees its names.
void* open_library(const char* name, bool for_all, std::string& why);
void close_library(void* library);
void* symbol(void* library, const char* name);  // nullptr where it has no such name
// The file that has what lies at an address; empty where that is unknown.
std::string file_of(const void* address);

// Sleeps at least so long, and not much longer in a thread that has asked for that.
void sleep_microseconds(uint32_t microseconds);
void sleep_precisely();  // from here on, in this thread

// Writes to standard error, as one piece.
void report(const std::string& text);

// The end of this process, at once.
[[noreturn]] void end_process(int code);

}  // namespace gradstep::os

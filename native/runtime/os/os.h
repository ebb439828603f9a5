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

}  // namespace gradstep::os

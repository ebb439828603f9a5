// Addresses that travel through JavaScript as numbers, in tables of doubles. Only here do they become pointers again:
// the caller answers for what lies there, and keeps it there until the call returns.
#pragma once
#include "../drivers/laid_out_step.h"
#include "../drivers/norm.h"
#include "../drivers/program.h"
#include "../drivers/update.h"
#include "../runtime/buffer.h"
#include "arguments.h"

namespace gradstep {

double address_of(const void* memory);

// Reads the next two arguments, `table` and `rows | undefined` as lib/native.ts describes them for runStep, checks them
// and starts `update` with what they say. False: it has thrown.
bool read_update(Arguments& args, Update& update);

// Reads the next argument, such a `table`, and lays its variables out in `step`; gradients are not looked at. False: it
// has thrown.
bool read_layout(Arguments& args, void* step, size_t bytes);

// Reads the next argument, such a `table`, for the step at a program's end; its gradients are not looked at. False: it
// has thrown.
bool read_program_step(Arguments& args, ProgramStep& step);

// Reads [address, length, factor] for each of `count` arrays. False: it has thrown.
template <class T> bool read_values(Arguments& args, const double* table, size_t count, Buffer<Values<T>>& values);

// One that has been checked, or that a plan was made with.
void* pointer_at(double address);

}  // namespace gradstep

// What a rank brings to a collective call, of JavaScript's arrays.
#pragma once
#include "../drivers/collective.h"
#include "arguments.h"

namespace gradstep {

// The next argument, a list of arrays, of which some may be undefined.
void read_spans(Arguments& args, Buffer<Span>& spans);

// Whether what a rank brings is complete by itself.
void check_brought(Arguments& args, const Brought& brought, size_t rank, const Buffer<Span>& in);

}  // namespace gradstep

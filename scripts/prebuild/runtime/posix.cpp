// What the compiler's start files and the rest of libc++ would bring on Linux and macOS.
#include "common.h"

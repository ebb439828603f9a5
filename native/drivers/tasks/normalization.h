// Tasks of normalisations. Arrays that are not there, and kinds, are bits of a task's option.
#pragma once
#include "../tasks.h"

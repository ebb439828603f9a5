// Convolutions and pools.
#pragma once
#include "family.h"

namespace gradstep {

// Items, the same for all: images, channels, outputs, groups; then for rows and for columns: image size, outputs,
// window, stride, dilation, zeros in front.
//
// conv2d: y, x, filter, bias; option: 1 has a bias, 2 rectified. Pools: option 0 takes the largest, 1 the mean, and
// then their gradient does not read x and y; 2 is that of the largest, and 0 where x is not positive. Depthwise:
// outputs and groups are channels.
#define GRADSTEP_CONVOLUTION_TASKS(X)                      \
  X(conv2d, 4, 0, 0)                                       \
  X(conv2dInputGradient, 3, 0, 0)     /* dx, dy, filter */ \
  X(conv2dFilterGradient, 3, 0, 0)    /* dfilter, x, dy */ \
  X(pool, 2, 0, 0)                    /* y, x */           \
  X(poolGradient, 4, 0, 0)            /* dx, dy, x, y */   \
  X(depthwise, 3, 0, 0)               /* y, x, filter */   \
  X(depthwiseInputGradient, 3, 0, 0)  /* dx, dy, filter */ \
  X(depthwiseFilterGradient, 3, 0, 0) /* dfilter, x, dy */

bool convolution_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_convolution(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep

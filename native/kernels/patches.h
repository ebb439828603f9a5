#pragma once
// A matrix that is not stored: row (image, i, j) has what the taps of a window at position (i, j) see of an image,
//
//     [down.taps, across.taps, channels] at pixel (i down.stride + down.origin + tap down.step, the same across)
//
// and zeros where that is outside of the image. Positions are numbered through all images.
#include <stddef.h>

namespace gradstep {

struct PatchAxis {
  size_t size;  // of the image
  size_t positions, taps;
  ptrdiff_t stride, origin, step;
};

// The pixel that a tap sees; not below the image's size means none.
static inline size_t pixel_at(const PatchAxis& axis, size_t position, size_t tap) {
  return static_cast<size_t>(static_cast<ptrdiff_t>(position) * axis.stride + axis.origin +
                             static_cast<ptrdiff_t>(tap) * axis.step);
}

template <class T> struct Patches {
  const T* images;  // null: there is no such matrix
  size_t channels;  // that are read of each pixel
  size_t pixel;     // elements from one pixel to the next
  PatchAxis down, across;
  size_t row, column;  // of the whole matrix, where the one that is meant begins
};

// Along an axis, the pixels from one position to the next, the position's own among them, and after the last one.
struct PixelCell { size_t size, last; };

// Where the rows of a matrix go that are positions of images: those of every `across` and `down` positions lie apart.
struct Placement {
  size_t across;  // 0: rows are ldc elements apart
  size_t down;
  size_t step, row_step, image_step;  // elements from a position to the next one across, down, and in the next image
  size_t row;                         // the number of the first one
  // Of pixels in between, which become zeros in the same columns; where there are no cells they stay as they are.
  PixelCell cell_across = {}, cell_down = {};
};

}  // namespace gradstep

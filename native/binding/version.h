// Which version of the package this is, so that the library notices a binary of another one. `npm version` writes it.
#pragma once

namespace gradstep {

constexpr const char* kVersion = "0.1.0";

}  // namespace gradstep

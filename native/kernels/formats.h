// What elements are stored as, and what kernels compute in: two things, as an array may be stored in fewer bits than a
// rule needs. Every list of them is here; the table, the drivers, the binding and JavaScript's names come from these.
#pragma once
#include <stddef.h>
#include <stdint.h>

// X(name, type): what kernels compute in. The table has a set of kernels for each, under this name.
#define GRADSTEP_ARITHMETICS(X) \
  X(f32, float)                 \
  X(f64, double)

// X(name, type, arithmetic): every format, by the name that JavaScript has for it. No two have one type: `type` is how
// kernels tell formats apart, by the `load` and `store` that the vocabulary has for it. `arithmetic` is what rules
// compute in over a parameter of the format, if they do not say otherwise (ArithmeticOf).
#define GRADSTEP_FORMATS(X) \
  X(float32, float, float)  \
  X(float64, double, double)

// X(parameter, gradient, slots...): types of the columns that rules step over together. Slots beyond the last one named
// are of its type. Each line is a loop more of every rule; other combinations are refused.
#define GRADSTEP_STORED(X) \
  X(float, float, float)   \
  X(double, double, double)

namespace gradstep {

constexpr size_t kMaxSlots = 4;

#define GRADSTEP_ENUMERATOR(name, ...) name,
enum class Arithmetic : uint8_t { GRADSTEP_ARITHMETICS(GRADSTEP_ENUMERATOR) };
enum class Format : uint8_t { GRADSTEP_FORMATS(GRADSTEP_ENUMERATOR) };
#undef GRADSTEP_ENUMERATOR

#define GRADSTEP_ONE(...) +1
constexpr size_t kArithmeticCount = 0 GRADSTEP_ARITHMETICS(GRADSTEP_ONE);
constexpr size_t kFormatCount = 0 GRADSTEP_FORMATS(GRADSTEP_ONE);
constexpr size_t kStoredCount = 0 GRADSTEP_STORED(GRADSTEP_ONE);
#undef GRADSTEP_ONE
static_assert(kStoredCount < 256, "a combination's number, and the one that none has, fit a byte");

#define GRADSTEP_NAME(name, type, arithmetic) #name,
#define GRADSTEP_BYTES(name, type, arithmetic) sizeof(type),
constexpr const char* kFormatNames[] = {GRADSTEP_FORMATS(GRADSTEP_NAME)};
constexpr size_t kFormatBytes[] = {GRADSTEP_FORMATS(GRADSTEP_BYTES)};  // of an element
#undef GRADSTEP_NAME
#undef GRADSTEP_BYTES

// What is known of a type.
template <class T> struct FormatOf;
#define GRADSTEP_FORMAT(name, type, arithmetic)     \
  template <> struct FormatOf<type> {               \
    static constexpr Format kFormat = Format::name; \
    using Arithmetic = arithmetic;                  \
  };
GRADSTEP_FORMATS(GRADSTEP_FORMAT)
#undef GRADSTEP_FORMAT

template <class T> struct ArithmeticNamed;
#define GRADSTEP_ARITHMETIC(name, type) \
  template <> struct ArithmeticNamed<type> { static constexpr Arithmetic value = Arithmetic::name; };
GRADSTEP_ARITHMETICS(GRADSTEP_ARITHMETIC)
#undef GRADSTEP_ARITHMETIC

// Of a format, its name; of an arithmetic, the format that takes its numbers as they are.
static inline const char* name_of(Format format) {
  const size_t i = static_cast<size_t>(format);
  return i < kFormatCount ? kFormatNames[i] : "no format";
}
#define GRADSTEP_FORMAT(name, type) FormatOf<type>::kFormat,
constexpr Format kFormatOfArithmetic[] = {GRADSTEP_ARITHMETICS(GRADSTEP_FORMAT)};
#undef GRADSTEP_FORMAT
static inline Format format_of(Arithmetic arithmetic) { return kFormatOfArithmetic[static_cast<size_t>(arithmetic)]; }

// The formats of a variable's columns. They lie apart from the pointers: as pairs of both they would take twice the
// memory, which a step of many small variables reads as a whole.
struct Formats { Format param, gradient, slots[kMaxSlots]; };

template <size_t i, class First, class... Rest> struct Nth { using Type = typename Nth<i - 1, Rest...>::Type; };
template <class First, class... Rest> struct Nth<0, First, Rest...> { using Type = First; };

// The types of a variable's columns.
template <class ParamType, class GradientType, class... SlotTypes> struct Stored {
  using Param = ParamType;
  using Gradient = GradientType;
  template <size_t k>
  using Slot = typename Nth<(k < sizeof...(SlotTypes) ? k : sizeof...(SlotTypes) - 1), SlotTypes...>::Type;

  static constexpr Formats formats() {
    return {FormatOf<Param>::kFormat,
            FormatOf<Gradient>::kFormat,
            {FormatOf<Slot<0>>::kFormat, FormatOf<Slot<1>>::kFormat, FormatOf<Slot<2>>::kFormat,
             FormatOf<Slot<3>>::kFormat}};
  }
  static_assert(kMaxSlots == 4, "formats() has them all");
};

// The combinations by their numbers, as types and as formats.
#define GRADSTEP_TYPE(...) , Stored<__VA_ARGS__>
template <size_t i> using StoredAt = typename Nth<i + 1, void GRADSTEP_STORED(GRADSTEP_TYPE)>::Type;
#undef GRADSTEP_TYPE
#define GRADSTEP_FORMATS_OF(...) Stored<__VA_ARGS__>::formats(),
constexpr Formats kStored[] = {GRADSTEP_STORED(GRADSTEP_FORMATS_OF)};
#undef GRADSTEP_FORMATS_OF

}  // namespace gradstep

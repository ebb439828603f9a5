#pragma once
#include <stddef.h>

namespace gradstep {

// A product, or a sum of products, that is known not to overflow, or none.
class Product {
 public:
  Product(size_t value) : value_(value) {}
  Product operator*(const Product& other) const {
    Product result = *this;
    result.good_ = good_ && other.good_ && !__builtin_mul_overflow(value_, other.value_, &result.value_);
    return result;
  }
  Product operator+(const Product& other) const {
    Product result = *this;
    result.good_ = good_ && other.good_ && !__builtin_add_overflow(value_, other.value_, &result.value_);
    return result;
  }
  bool at_most(size_t limit) const { return good_ && value_ <= limit; }
  bool is(size_t value) const { return good_ && value_ == value; }

 private:
  size_t value_;
  bool good_ = true;
};

}  // namespace gradstep

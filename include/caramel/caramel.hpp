#ifndef CARAMEL_CARAMEL_HPP
#define CARAMEL_CARAMEL_HPP

#include <caramel/features/standardize.hpp>

#endif

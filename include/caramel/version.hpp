#ifndef CARAMEL_VERSION_HPP
#define CARAMEL_VERSION_HPP

// The one place where the version stands: CMake reads these lines.
#define CARAMEL_VERSION_MAJOR 0
#define CARAMEL_VERSION_MINOR 1
#define CARAMEL_VERSION_PATCH 0
#define CARAMEL_VERSION_STRING "0.1.0"
/// 10000 * major + 100 * minor + patch, for use in `#if`.
#define CARAMEL_VERSION (CARAMEL_VERSION_MAJOR * 10000 + CARAMEL_VERSION_MINOR * 100 + CARAMEL_VERSION_PATCH)

#endif

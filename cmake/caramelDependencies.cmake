# What caramel needs, for its own build and for programs that find it installed: each by its own CMake package or, on systems
# that have no such package, by its headers alone. Sets
#   caramel_missing       what is not here and has to be, with where to get it; empty if nothing is
#   caramel_missing_json  the same of nlohmann-json, which only programs that save or load models need

# Appends to the variable MISSING, unless the target is here or can be made.
function(caramel_look_for missing name version target headers said_as packages)
    if(NOT TARGET ${target})  # the host may have brought it along
        find_package(${name} ${version} QUIET CONFIG)
        set(${name}_VERSION "${${name}_VERSION}" PARENT_SCOPE)
    endif()
    if(NOT TARGET ${target} AND NOT ${name}_CONSIDERED_VERSIONS AND NOT CMAKE_DISABLE_FIND_PACKAGE_${name})
        find_path(caramel_${name}_INCLUDE_DIR NAMES ${headers} PATH_SUFFIXES eigen3 DOC "The folder that holds ${headers}")
        mark_as_advanced(caramel_${name}_INCLUDE_DIR)
        if(caramel_${name}_INCLUDE_DIR)
            add_library(${target} INTERFACE IMPORTED)
            target_include_directories(${target} SYSTEM INTERFACE ${caramel_${name}_INCLUDE_DIR})
        endif()
    endif()
    if(NOT TARGET ${target})
        set(found "")
        if(${name}_NOT_FOUND_MESSAGE)
            set(found " (${${name}_NOT_FOUND_MESSAGE})")
        elseif(${name}_CONSIDERED_VERSIONS)
            set(found ", not ${${name}_CONSIDERED_VERSIONS}")
        endif()
        string(APPEND ${missing} "\n  ${said_as} ${version} or newer${found}\n    ${packages}\n"
            "    or, for headers that lie elsewhere: -D caramel_${name}_INCLUDE_DIR=FOLDER")
        set(${missing} "${${missing}}" PARENT_SCOPE)
    endif()
endfunction()

set(caramel_missing "")
set(caramel_missing_json "")
caramel_look_for(caramel_missing Eigen3 3.4 Eigen3::Eigen Eigen/Core "Eigen"
    "Debian, Ubuntu: apt install libeigen3-dev   Fedora: dnf install eigen3-devel   Homebrew: eigen   vcpkg: eigen3   Conan: eigen")
caramel_look_for(caramel_missing xtensor 0.24 xtensor "xtensor/xtensor.hpp;xtensor/containers/xtensor.hpp" "xtensor"
    "Debian, Ubuntu: apt install libxtensor-dev   Fedora: dnf install xtensor-devel   Homebrew: xtensor   vcpkg: xtensor   Conan: xtensor")
caramel_look_for(caramel_missing_json nlohmann_json 3.10 nlohmann_json::nlohmann_json nlohmann/json.hpp "nlohmann-json"
    "Debian, Ubuntu: apt install nlohmann-json3-dev   Fedora: dnf install json-devel   Homebrew: nlohmann-json   vcpkg: nlohmann-json   Conan: nlohmann_json")

# What a program gets beside what every program gets, from what is on its machine.
function(caramel_add_what_is_here target)
    if(TARGET nlohmann_json::nlohmann_json)
        target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
    endif()
    # clang 19 reads a template of xtensor before 0.25 as ambiguous.
    if(xtensor_VERSION VERSION_LESS 0.25)
        foreach(option -fno-relaxed-template-template-args -Wno-deprecated-no-relaxed-template-template-args)
            target_compile_options(${target} INTERFACE
                $<BUILD_INTERFACE:$<$<AND:$<CXX_COMPILER_ID:Clang>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,19>>:${option}>>)
        endforeach()
    endif()
endfunction()

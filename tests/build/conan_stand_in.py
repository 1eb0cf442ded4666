#!/usr/bin/env python3
"""Runs packaging/conan/conanfile.py without Conan: a stand-in for its Python module, and the steps of `conan create` in their order.

usage: conan_stand_in.py PROJECT DIR     leaves the package in DIR/package, and a CMake package as of CMakeDeps in DIR/generators
"""
import fnmatch
import importlib.util
import pathlib
import shutil
import sys
import types


class ConanFile:
    """What a recipe finds in its base class."""

    def __init__(self, recipe_folder, settings, options):
        self.recipe_folder = str(recipe_folder)
        self.settings = types.SimpleNamespace(**settings)
        self.options = types.SimpleNamespace(**options)
        self.cpp_info = types.SimpleNamespace(includedirs=["include"], bindirs=["bin"], libdirs=["lib"], system_libs=[])
        self.required = {}
        self.info = types.SimpleNamespace(clear=lambda: setattr(self, "cleared", True))

    def requires(self, reference, transitive_headers=False):
        name, version = reference.split("/")
        self.required[name] = (version, transitive_headers)


def copy(_, pattern, src, dst):
    """As Conan's: the pattern is matched against paths within src, and * crosses folders."""
    found = [p for p in sorted(pathlib.Path(src).rglob("*")) if p.is_file() and fnmatch.fnmatch(str(p.relative_to(src)), pattern)]
    for path in found:
        to = pathlib.Path(dst) / path.relative_to(src)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    return found


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


standards = []
module("conan", ConanFile=ConanFile)
module("conan.tools")
module("conan.tools.build", check_min_cppstd=lambda _, standard: standards.append(standard), can_run=lambda _: True)
module("conan.tools.files", copy=copy, load=lambda _, path: pathlib.Path(path).read_text())
module("conan.tools.layout", basic_layout=lambda _: None)
module("conan.tools.cmake", CMake=None, cmake_layout=None)
sys.dont_write_bytecode = True


def recipe_of(path):
    spec = importlib.util.spec_from_file_location("recipe_" + path.parent.name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return next(v for v in vars(loaded).values() if isinstance(v, type) and issubclass(v, ConanFile) and v is not ConanFile)


def check(holds, message):
    if not holds:
        sys.exit(f"conan_stand_in.py: {message}")


def main():
    project, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    Recipe = recipe_of(project / "packaging/conan/conanfile.py")
    recipe_of(project / "packaging/conan/test_package/conanfile.py")
    settings = {"os": "Linux", "arch": "x86_64", "compiler": "gcc", "build_type": "Release"}
    options = {name: value for name, value in Recipe.default_options.items() if "/" not in name}
    check(options.keys() == Recipe.options.keys() and all(v in Recipe.options[k] for k, v in options.items()), "options and their defaults differ")

    # Exporting, in the checkout.
    exporting = Recipe(project / "packaging/conan", settings, {})
    exporting.set_version()
    exporting.export_sources_folder = str(work / "sources")
    exporting.export_sources()
    # Everything else, where the checkout is out of reach.
    (work / "recipe").mkdir(parents=True)
    shutil.copyfile(project / "packaging/conan/conanfile.py", work / "recipe/conanfile.py")
    Cached = recipe_of(work / "recipe/conanfile.py")
    required = {}
    for saving in Recipe.options["saving"]:
        recipe = Cached(work / "recipe", settings, {**options, "saving": saving})
        recipe.requirements()
        required[saving] = set(recipe.required)
        check(all(transitive for _, transitive in recipe.required.values()), "a program would not see the headers of what caramel requires")
    check(required[False] == {"eigen", "xtensor"} and required[True] == {"eigen", "xtensor", "nlohmann_json"}, f"requires {required}")
    recipe = Cached(work / "recipe", settings, options)
    recipe.source_folder, recipe.package_folder = str(work / "sources"), str(work / "package")
    recipe.layout()
    recipe.validate()
    recipe.package_id()
    recipe.package()
    recipe.package_info()
    check(standards == [20], "the C++ standard is not checked")
    check(getattr(recipe, "cleared", False), "headers would be packaged once for each compiler")
    check(recipe.cpp_info.libdirs == [] and recipe.cpp_info.bindirs == [], "folders without libraries are searched")
    headers = {p.relative_to(project / "include") for p in (project / "include").rglob("*.hpp")}
    packaged = {p.relative_to(work / "package/include") for p in (work / "package/include").rglob("*") if p.is_file()}
    check(headers == packaged, f"packaged {len(packaged)} of {len(headers)} headers")
    check((work / "package/licenses/LICENSE").is_file(), "no licence in the package")

    # As CMakeDeps would: the dependencies from their own packages.
    (work / "generators").mkdir()
    (work / "generators/caramel-config.cmake").write_text(
        "find_package(Eigen3 REQUIRED CONFIG)\nfind_package(xtensor REQUIRED CONFIG)\nfind_package(nlohmann_json REQUIRED CONFIG)\n"
        "add_library(caramel::caramel INTERFACE IMPORTED)\n"
        f"target_include_directories(caramel::caramel INTERFACE \"{work}/package/{recipe.cpp_info.includedirs[0]}\")\n"
        f"target_link_libraries(caramel::caramel INTERFACE Eigen3::Eigen xtensor nlohmann_json::nlohmann_json {' '.join(recipe.cpp_info.system_libs)})\n")
    print(f"caramel/{exporting.version}: {len(packaged)} headers packaged")


if __name__ == "__main__":
    main()

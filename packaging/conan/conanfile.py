import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class CaramelRecipe(ConanFile):
    name = "caramel"
    description = "Customer intelligence for any C++ program: header-only C++20 machine learning"
    license = "MIT"
    topics = ("machine-learning", "recommender-system", "customer-analytics", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"saving": [True, False]}
    # xsimd within xtensor would change the alignment of its containers.
    default_options = {"saving": True, "xtensor/*:xsimd": False}
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "..", "..", "include", "caramel", "version.hpp"))
        self.version = re.search(r'CARAMEL_VERSION_STRING "(.*)"', text).group(1)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        copy(self, "*.hpp", os.path.join(root, "include"), os.path.join(self.export_sources_folder, "include"))
        copy(self, "LICENSE", root, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)
        self.requires("xtensor/0.24.7", transitive_headers=True)
        if self.options.saving:
            # The version that xtensor's recipe asks for: another would be a conflict.
            self.requires("nlohmann_json/3.11.3", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]

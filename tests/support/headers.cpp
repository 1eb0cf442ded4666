// Empty: the target that this file belongs to carries the precompiled headers of all tests.

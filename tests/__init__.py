"""A package, as some folders in it are, so that modules of tests have the same name wherever they are imported."""

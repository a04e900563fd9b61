"""Health check of the container: prints the answer of /health/.

It is 200 even without the database, which a restart of TMS would not repair; 503 means that this process is stuck or
about to end.
"""

import sys
import urllib.request
from http.client import HTTPException
from urllib.error import HTTPError

URL = "http://127.0.0.1:8000/health/"
PATIENCE_S = 5


def main() -> int:
    try:
        with urllib.request.urlopen(URL, timeout=PATIENCE_S) as answer:
            print(answer.read().decode())
    except HTTPError as error:
        with error:
            print(error.read().decode())
        return 1
    except (OSError, HTTPException) as error:
        print(f"no response: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What updaters send."""

import json


def feedback(execution: str, finished: str = "none", *, cnt: int = 0, of: int = 0, details: object = ()) -> bytes:
    result = {"progress": {"cnt": cnt, "of": of}, "finished": finished}
    status = {"result": result, "execution": execution, "details": details}
    return json.dumps({"id": 7, "time": "20261202T025359", "status": status}).encode()

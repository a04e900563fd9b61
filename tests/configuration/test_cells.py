"""Every value comes back from a cell of a file as it was."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tms.configuration.values.cells import read_cell, write_cell
from tms.configuration.versions import is_equal
from tms.lib.csv_text import csv_text
from tms.transfer.reading.csv_reader import lines

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(json_values, st.sampled_from([{"type": "string"}, {}]))
def test_values_survive_a_file(value: Any, schema: dict[str, Any]) -> None:
    if schema and not isinstance(value, str):
        return
    data = ("\ufeff" + csv_text([["T-1", write_cell(value, schema), "x"]])).encode("utf-8", "surrogatepass")
    (cells,) = lines(data)
    assert is_equal(read_cell(cells[1], schema), value)

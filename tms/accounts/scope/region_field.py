"""The name of a region as a column."""

from tms.lib.text_fields import LineField


class RegionField(LineField):
    """Refers to a region by its name; empty for none.

    Renaming a region changes every column of this class (`tms.fleet.regions.services`).
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **{"max_length": 100, "blank": True, "default": "", "db_default": "", **options})  # type: ignore[arg-type]

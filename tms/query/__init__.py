"""The query language: `site:SJK kind:kiosk firmware<4.8 -state:retired`.

One language selects rows in lists, groups, views, jobs and the API. `parser` makes a tree of the text, `fields` knows
what may be asked of which rows, `query` makes one condition of both, and `completion` helps while somebody types.
"""
